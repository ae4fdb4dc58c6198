/* SPDX-License-Identifier: BSD-3-Clause
 * The statistics segment: one memfd, laid out once, grown only at its end.
 * Cells are committed by the kernel when first touched, so large vectors of unused rows cost nothing. */
#include "dataplane/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#define SEGMENT_SIZE (256ull << 20) /* address space and memfd size; pages come with use */
#define ALIGN_UP(x)  (((x) + 127) & ~127ull)

static struct hd_stats_hdr *hdr;
static int write_fd = -1, read_fd = -1;
static uint64_t used;
static unsigned n_slices; /* that readers see */

int stats_init(unsigned n_workers)
{
	struct timespec now;
	char path[64];
	int rc;

	write_fd = memfd_create("heddle-stats", MFD_CLOEXEC);
	if (write_fd < 0)
		return -errno;
	if (ftruncate(write_fd, SEGMENT_SIZE) < 0) {
		rc = -errno;
		goto close_fd;
	}
	hdr = mmap(NULL, SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, write_fd, 0);
	if (hdr == MAP_FAILED) {
		rc = -errno;
		hdr = NULL;
		goto close_fd;
	}
	/* A second, read-only opening is what readers get. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", write_fd);
	read_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read_fd < 0) {
		rc = -errno;
		goto unmap;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	hdr->version = HD_STATS_VERSION;
	hdr->size = SEGMENT_SIZE;
	hdr->start_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	hdr->tsc_hz = rte_get_tsc_hz();
	hdr->vec_off = ALIGN_UP(sizeof(*hdr));
	if (getrandom(&hdr->instance, sizeof(hdr->instance), 0) != sizeof(hdr->instance))
		hdr->instance = hdr->start_ns;
	used = ALIGN_UP(hdr->vec_off + HD_STATS_VECS_MAX * sizeof(struct hd_stats_vec));
	n_slices = n_workers + 1;
	__atomic_store_n(&hdr->magic, HD_STATS_MAGIC, __ATOMIC_RELEASE);
	return 0;
unmap:
	munmap(hdr, SEGMENT_SIZE);
	hdr = NULL;
close_fd:
	close(write_fd);
	write_fd = -1;
	return rc;
}

void stats_fini(void)
{
	if (hdr == NULL)
		return;
	munmap(hdr, SEGMENT_SIZE);
	close(write_fd);
	close(read_fd);
	hdr = NULL;
	write_fd = read_fd = -1;
}

int stats_fd(void)
{
	return read_fd;
}

const struct hd_stats_hdr *stats_hdr(void)
{
	return hdr;
}

int stats_vec_add(const char *name, enum hd_stats_kind kind, uint32_t n_rows,
		  const char *const *cols, const struct hd_stats_row *rows)
{
	struct hd_stats_vec *v =
		(struct hd_stats_vec *)((uint8_t *)hdr + hdr->vec_off) + hdr->n_vecs;
	uint32_t n_cols = 0;

	while (cols[n_cols] != NULL)
		n_cols++;
	if (n_cols == 0 || n_cols > HD_STATS_COLS_MAX || n_rows == 0)
		return -EINVAL;
	uint64_t info = rows == NULL ? 0 : ALIGN_UP(n_rows * sizeof(*rows));
	uint64_t stride = ALIGN_UP((uint64_t)n_rows * n_cols * sizeof(uint64_t));
	if (hdr->n_vecs == HD_STATS_VECS_MAX ||
	    used + info + stride * (n_slices + 1) > SEGMENT_SIZE)
		return -ENOSPC;

	memset(v, 0, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->kind = kind;
	v->n_rows = n_rows;
	v->n_cols = n_cols;
	v->n_slices = n_slices;
	for (uint32_t i = 0; i < n_cols; i++)
		snprintf(v->col[i], sizeof(v->col[i]), "%s", cols[i]);
	if (rows != NULL) {
		v->row_info_off = used;
		memcpy((uint8_t *)hdr + used, rows, n_rows * sizeof(*rows));
		used += info;
	}
	v->cell_off = used;
	v->slice_stride = stride;
	used += stride * (n_slices + 1);
	__atomic_store_n(&hdr->n_vecs, hdr->n_vecs + 1, __ATOMIC_RELEASE);
	return (int)hdr->n_vecs - 1;
}

uint64_t *stats_slice(int vec, unsigned slice)
{
	const struct hd_stats_vec *v = hd_stats_vecs(hdr) + vec;

	return (uint64_t *)((uint8_t *)hdr + v->cell_off + slice * v->slice_stride);
}

unsigned stats_hidden_slice(void)
{
	return n_slices;
}
