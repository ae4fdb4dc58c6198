/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: a data plane of its own, and the client of its socket. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/table_api/table_api.h"
#include "heddle/api/api.h"

static uint32_t seq;

static size_t put_msg(uint8_t *to, uint16_t type, uint32_t flags, size_t body)
{
	struct hd_api_hdr h = { .length = (uint32_t)(sizeof(h) + body),
				.type = type,
				.version = HD_API_VERSION,
				.seq = ++seq,
				.flags = flags };

	memcpy(to, &h, sizeof(h));
	return sizeof(h) + body;
}

static int write_whole(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int read_whole(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = read(fd, (uint8_t *)to + at, n - at);

		if (r <= 0)
			return r < 0 ? -errno : -EPIPE;
		at += (size_t)r;
	}
	return 0;
}

/* Wait for the message of a type; events in between are passed over. */
static int wait_for(int fd, uint16_t type, void *body, size_t size)
{
	static uint8_t room[HD_API_MSG_MAX];
	struct hd_api_hdr h;
	int rc;

	do {
		rc = read_whole(fd, &h, sizeof(h));
		if (rc == 0 && (h.length < sizeof(h) || h.length > HD_API_MSG_MAX))
			rc = -EPROTO;
		if (rc == 0)
			rc = read_whole(fd, room, h.length - sizeof(h));
	} while (rc == 0 && h.type != type);
	memcpy(body, room, size);
	return rc;
}

double ta_transaction(const struct ta_dp *dp, const struct ta_kind *k, uint32_t from, uint32_t to,
		      bool del)
{
	static uint8_t buf[TA_PER_TXN * 640 + 64];
	struct hd_api_reply reply;
	struct timespec a, b;
	size_t at = put_msg(buf, HD_API_BEGIN, 0, 0);

	for (uint32_t i = from; i < to; i++)
		at += put_msg(buf + at, k->type, del ? HD_API_F_DEL : 0,
			      k->make(i, buf + at + sizeof(struct hd_api_hdr)));
	at += put_msg(buf + at, HD_API_COMMIT, 0, 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	int rc = write_whole(dp->fd, buf, at);
	if (rc == 0)
		rc = wait_for(dp->fd, HD_API_REPLY, &reply, sizeof(reply));
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (rc < 0 || reply.error != 0) {
		fprintf(stderr, "heddle-bench: %s: %s\n", k->name,
			rc < 0 ? strerror(-rc) : reply.text);
		return -1;
	}
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	for (unsigned try = 0; try < 200; try++) { /* 10 s */
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		close(fd);
		usleep(50000);
	}
	return -ETIMEDOUT;
}

/* The answer to HELLO, and the descriptor of the statistics that comes with it. */
static int hello_read(int fd, int *ret_stats)
{
	uint8_t buf[sizeof(struct hd_api_hdr) + sizeof(struct hd_api_hello)];
	struct iovec iov = { buf, sizeof(buf) };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl.room,
			    .msg_controllen = sizeof(ctl.room) };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n <= 0 ? NULL : CMSG_FIRSTHDR(&m);
	struct hd_api_hdr h;

	if (c == NULL || c->cmsg_type != SCM_RIGHTS || n < (ssize_t)sizeof(h))
		return -EPROTO;
	memcpy(ret_stats, CMSG_DATA(c), sizeof(*ret_stats));
	memcpy(&h, buf, sizeof(h));
	if (h.type != HD_API_HELLO || h.length < sizeof(h) || h.length > sizeof(buf))
		return -EPROTO;
	return read_whole(fd, buf, h.length - (size_t)n);
}

static int greet(struct ta_dp *dp)
{
	struct hd_api_hello hello = { .version = HD_API_VERSION,
				      .pid = (uint32_t)getpid(),
				      .software = "heddle-bench" };
	uint8_t buf[sizeof(struct hd_api_hdr) + sizeof(hello)];
	const struct hd_stats_hdr *head;
	int stats = -1, rc;

	put_msg(buf, HD_API_HELLO, 0, sizeof(hello));
	memcpy(buf + sizeof(struct hd_api_hdr), &hello, sizeof(hello));
	rc = write_whole(dp->fd, buf, sizeof(buf));
	if (rc == 0)
		rc = hello_read(dp->fd, &stats);
	if (rc < 0)
		return rc;
	head = mmap(NULL, sizeof(*head), PROT_READ, MAP_SHARED, stats, 0);
	if (head == MAP_FAILED) {
		rc = -errno;
	} else {
		size_t size = head->magic == HD_STATS_MAGIC ? head->size : 0;
		void *all = size != 0 ? mmap(NULL, size, PROT_READ, MAP_SHARED, stats, 0) :
					MAP_FAILED;

		dp->stats = all == MAP_FAILED ? NULL : all;
		rc = all == MAP_FAILED ? -EPROTO : 0;
		munmap((void *)(uintptr_t)head, sizeof(*head));
	}
	close(stats);
	return rc;
}

int ta_dp_start(struct ta_dp *dp, const char *program, const char *const *options)
{
	const char *argv[64] = { program, "--run-dir", dp->dir, "--no-huge" };
	char path[64];
	int n = 4, rc;

	*dp = (struct ta_dp){ .pid = -1, .dir = "/tmp/heddle-bench.XXXXXX", .fd = -1 };
	for (; *options != NULL && n < 63; options++)
		argv[n++] = *options;
	argv[n] = NULL;
	if (mkdtemp(dp->dir) == NULL) {
		perror("heddle-bench");
		dp->dir[0] = '\0';
		return -errno;
	}
	dp->pid = fork();
	if (dp->pid == 0) {
		execvp(program, (char *const *)(uintptr_t)argv);
		fprintf(stderr, "heddle-bench: %s: %s\n", program, strerror(errno));
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/dp.sock", dp->dir);
	dp->fd = dial(path);
	rc = dp->fd < 0 ? dp->fd : greet(dp);
	if (rc < 0)
		fprintf(stderr, "heddle-bench: %s does not answer (%s)\n", program, strerror(-rc));
	return rc;
}

void ta_dp_stop(struct ta_dp *dp)
{
	char command[64];

	if (dp->stats != NULL)
		munmap((void *)(uintptr_t)dp->stats, dp->stats->size);
	if (dp->fd >= 0)
		close(dp->fd);
	if (dp->pid > 0) {
		kill(dp->pid, SIGTERM);
		waitpid(dp->pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", dp->dir);
	if (dp->dir[0] != '\0' && system(command) != 0)
		fprintf(stderr, "heddle-bench: %s is left\n", dp->dir);
	*dp = (struct ta_dp){ .pid = -1, .fd = -1 };
}

/* ---- statistics ------------------------------------------------------------------------------------------------ */

uint64_t ta_stat(const struct ta_dp *dp, const char *vec, uint32_t row, const char *col)
{
	for (uint32_t i = 0; i < dp->stats->n_vecs; i++) {
		const struct hd_stats_vec *v = &hd_stats_vecs(dp->stats)[i];

		if (strcmp(v->name, vec) != 0 || row >= v->n_rows)
			continue;
		for (uint32_t c = 0; c < v->n_cols; c++)
			if (strcmp(v->col[c], col) == 0)
				return hd_stats_sum(dp->stats, v, row, c);
	}
	return 0;
}
