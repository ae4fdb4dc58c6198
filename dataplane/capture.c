/* SPDX-License-Identifier: BSD-3-Clause
 * Packet capture (capture.h).  Worker's side: filter, copy into this worker's ring.  Control side: drain, write.
 *
 * A ring is a run of records in octets, one producer, one consumer; head and tail only grow.  A record that would not
 * fit before the ring's end is preceded by a filler, so every record is contiguous. */
#include "dataplane/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rte_bpf.h>
#include <rte_cycles.h>
#include <rte_malloc.h>

#include "dataplane/api_server.h"
#include "dataplane/debug_api.h"
#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "dataplane/stats.h"
#include "dataplane/wallclock.h"
#include "heddle/api/l2.h"
#include "heddle/wire/eth.h"

#define RING_SIZE      (1u << 22)   /* octets per worker; a power of 2 */
#define RING_SIZE_MANY (1u << 20)   /* with more than 8 workers */
#define POLL_MAX       (1u << 20)   /* octets written per turn of the control loop */
#define MEMFD_MAX      (256u << 20) /* a capture into memory ends here */
#define OUT_ROOM       (1u << 18)
#define IFACES_MAX     1024u
#define STOP_WAIT_MS   2000u /* a stalled worker does not hold up the end of a capture for longer */

struct record {
	uint32_t size;                        /* octets to the next record, a multiple of 8 */
	uint8_t filler, link, direction, pad; /* link: LINK_*; direction: pcapng's, 1 in, 2 out */
	uint32_t caught, whole;               /* octets copied; of the packet */
	uint64_t tsc;
	uint32_t node, result, object;
	uint16_t port, iface, vrf, verdict, verdict_vec, pad2;
};
static_assert(sizeof(struct record) == 48, "a multiple of 8");

enum link { LINK_ETH, LINK_IP, N_LINKS };
static const struct {
	int dlt;           /* for libpcap */
	uint16_t linktype; /* for pcapng */
} links[N_LINKS] = { [LINK_ETH] = { DLT_EN10MB, 1 }, [LINK_IP] = { DLT_RAW, 101 } };

struct ring {
	uint64_t head __rte_cache_aligned; /* worker */
	uint64_t missed;
	uint64_t tail __rte_cache_aligned; /* control thread */
	uint8_t *mem;
	uint32_t mask;
};

struct filter {
	bool valid; /* the expression makes sense for this link type */
	struct bpf_program classic;
	struct rte_bpf *ebpf; /* NULL: DPDK cannot convert it; libpcap's interpreter runs it */
	uint64_t (*jit)(void *);
};

/* A capture: constant for the workers but for their rings. */
struct capture {
	uint32_t snaplen;
	bool ends;    /* port-rx and port-tx */
	bool all;     /* no filter */
	bool drops;   /* node drop: what icmp-error answers was dropped as well */
	uint32_t row; /* the node otherwise */
	uint32_t row_rx, row_tx, row_eth, row_drop, row_error;
	struct filter filter[N_LINKS];
	struct ring *ring;
};

static struct capture *active; /* what the workers see */

/* ---- worker ---------------------------------------------------------------------------------------------- */

/* Octets of the received L2 header that still stand before an L3 packet.  A node that decapsulates sets l2_len to 0;
 * where the ethertype contradicts the packet, it forgot. */
static unsigned l2_before(const struct rte_mbuf *m)
{
	unsigned l2 = meta((struct rte_mbuf *)(uintptr_t)m)->l2_len;
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned version = m->data_len == 0 ? 0 : l3[0] >> 4;

	if (l2 < 14 || l2 > m->data_off)
		return 0;
	uint16_t type = wire_get16(l3 - 2);
	if ((type == ETHTYPE_IP4 && version != 4) || (type == ETHTYPE_IP6 && version != 6))
		return 0;
	return l2;
}

/* Is the data of a packet at this node's input the L2 header (meta.h)? */
static bool data_is_l2(const struct capture *c, uint32_t row, const struct rte_mbuf *m)
{
	if (row == c->row_drop) /* as the node left it that dropped it */
		row = node_row_of_vec(meta((struct rte_mbuf *)(uintptr_t)m)->verdict_vec);
	return row == c->row_rx || row == c->row_tx || row == c->row_eth;
}

/* Run the filter over the packet from `front` octets before its data. */
static bool filter_run(const struct filter *f, struct rte_mbuf *m, unsigned front)
{
	uint64_t rc;

	if (!f->valid)
		return false;
	m->data_off = (uint16_t)(m->data_off - front); /* ours alone while we are in this node */
	m->data_len = (uint16_t)(m->data_len + front);
	m->pkt_len += front;
	if (f->jit != NULL)
		rc = f->jit(m);
	else if (f->ebpf != NULL)
		rc = rte_bpf_exec(f->ebpf, m);
	else
		rc = bpf_filter(f->classic.bf_insns, rte_pktmbuf_mtod(m, const u_char *),
				m->pkt_len, m->data_len);
	m->data_off = (uint16_t)(m->data_off + front);
	m->data_len = (uint16_t)(m->data_len - front);
	m->pkt_len -= front;
	return rc != 0;
}

static void copy_packet(uint8_t *to, const struct rte_mbuf *m, unsigned front, uint32_t len)
{
	uint32_t n = RTE_MIN(len, m->data_len + front);

	memcpy(to, rte_pktmbuf_mtod(m, const uint8_t *) - front, n);
	for (m = m->next; m != NULL && n < len; m = m->next) {
		uint32_t part = RTE_MIN(len - n, (uint32_t)m->data_len);

		memcpy(to + n, rte_pktmbuf_mtod(m, const void *), part);
		n += part;
	}
}

/* Room for a record of so many octets, or NULL.  Publish with ring_push(). */
static struct record *ring_room(struct ring *r, uint32_t size)
{
	uint64_t tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	uint32_t off = (uint32_t)r->head & r->mask, to_end = r->mask + 1 - off;
	uint32_t filler = to_end < size ? to_end : 0;

	if (r->head + filler + size - tail > r->mask + 1)
		return NULL;
	if (filler != 0) {
		struct record *f =
			(struct record *)(r->mem +
					  off); /* at least 8 octets: size and filler flag */
		f->size = filler;
		f->filler = 1;
		__atomic_store_n(&r->head, r->head + filler, __ATOMIC_RELEASE);
		off = 0;
	}
	return (struct record *)(r->mem + off);
}

static void capture_one(struct capture *c, struct node_slot *s, struct rte_mbuf *m)
{
	const struct hd_meta *mt = meta(m);
	struct ring *r = &c->ring[s->worker->id];
	unsigned front = 0, link = LINK_ETH;

	if (!data_is_l2(c, s->row, m)) {
		front = l2_before(m);
		link = front != 0 ? LINK_ETH : LINK_IP;
	}
	/* Inside the graph the expression speaks of the IP packet, whatever tags the frame had; one that speaks of
	 * Ethernet only is tried on the frame. */
	if (!c->all) {
		bool ip = link == LINK_IP || (front != 0 && c->filter[LINK_IP].valid);

		if (!filter_run(&c->filter[ip ? LINK_IP : LINK_ETH], m, ip ? 0 : front))
			return;
	}
	uint32_t whole = m->pkt_len + front, caught = RTE_MIN(whole, c->snaplen);
	uint32_t size = (uint32_t)RTE_ALIGN(sizeof(struct record) + caught, 8);
	struct record *rec = ring_room(r, size);
	if (rec == NULL) {
		__atomic_store_n(&r->missed, r->missed + 1, __ATOMIC_RELAXED);
		return;
	}
	*rec = (struct record){ .size = size,
				.link = (uint8_t)link,
				.direction = s->row == c->row_rx ? 1 :
					     s->row == c->row_tx ? 2 :
								   0,
				.caught = caught,
				.whole = whole,
				.tsc = rte_rdtsc(),
				.node = s->row,
				.result = mt->result,
				.object = mt->object,
				.port = mt->port,
				.iface = mt->iface,
				.vrf = mt->vrf,
				.verdict = mt->verdict,
				.verdict_vec = mt->verdict_vec };
	copy_packet((uint8_t *)(rec + 1), m, front, caught);
	__atomic_store_n(&r->head, r->head + size, __ATOMIC_RELEASE);
}

void capture_in(struct node_slot *s, struct rte_mbuf **m, unsigned n)
{
	struct capture *c = __atomic_load_n(&active, __ATOMIC_ACQUIRE);

	if (c == NULL)
		return;
	if (c->ends ? s->row != c->row_rx && s->row != c->row_tx :
		      s->row != c->row && !(c->drops && s->row == c->row_error))
		return;
	for (unsigned i = 0; i < n; i++) {
		uint16_t port = meta(m[i])->port;

		/* Handed to another worker for sending: captured there. */
		if (s->row == c->row_tx && port < WORKER_PORTS_MAX &&
		    s->worker->txq[port] == UINT16_MAX)
			continue;
		capture_one(c, s, m[i]);
	}
}

/* ---- control thread: the file ---------------------------------------------------------------------------- */

enum state { CAP_IDLE, CAP_RUNNING, CAP_STOPPING };

static struct {
	enum state state;
	uint32_t id, count, written;
	uint64_t limit, octets; /* of the file; limit 0: none */
	uint64_t stop_ms, stop_loops[DP_WORKERS_MAX];
	int fd, error;
	char node[32];
	uint32_t n_ifaces;
	struct {
		uint16_t link, id;
		bool is_port;
	} iface[IFACES_MAX]; /* pcapng interfaces described so far */
	size_t out_len;
	uint8_t *out; /* OUT_ROOM */
} file = { .fd = -1 };

static void out_flush(void)
{
	size_t done = 0;

	while (done < file.out_len && file.error == 0) {
		ssize_t n = write(file.fd, file.out + done, file.out_len - done);

		if (n < 0 && errno != EINTR)
			file.error = errno;
		else if (n > 0)
			done += (size_t)n;
	}
	file.octets += done;
	file.out_len = 0;
	if (file.limit != 0 && file.octets >= file.limit && file.error == 0)
		file.error = EFBIG;
}

static void put(const void *data, size_t n)
{
	while (n != 0) {
		size_t part = RTE_MIN(n, OUT_ROOM - file.out_len);

		memcpy(file.out + file.out_len, data, part);
		file.out_len += part;
		data = (const uint8_t *)data + part;
		n -= part;
		if (file.out_len == OUT_ROOM)
			out_flush();
	}
}
static void put16(uint16_t v)
{
	put(&v, sizeof(v));
}
static void put32(uint32_t v)
{
	put(&v, sizeof(v));
}
static void put_pad(size_t n)
{
	put("\0\0\0", -n & 3);
}

/* Blocks, section 4 of the draft: type, total length, body, total length again; the writer's byte order. */
enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_IFACE = 1, BLOCK_STATS = 5, BLOCK_PACKET = 6 };
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	ISB_IFDROP = 5,
	ISB_USRDELIV = 8
};

static size_t opt_size(size_t n)
{
	return 4 + RTE_ALIGN(n, 4);
}
static void put_opt(uint16_t code, const void *data, size_t n)
{
	put16(code);
	put16((uint16_t)n);
	put(data, n);
	put_pad(n);
}
static void put_end(uint32_t total)
{
	put32(OPT_END);
	put32(total);
}

static void block_section(const char *comment)
{
	static const char app[] = "heddle-dp " HEDDLE_VERSION;
	uint32_t total =
		(uint32_t)(12 + 16 + opt_size(sizeof(app) - 1) + opt_size(strlen(comment)) + 4);
	int64_t unknown = -1;

	put32(BLOCK_SECTION);
	put32(total);
	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put(&unknown, 8); /* section length */
	put_opt(SHB_USERAPPL, app, sizeof(app) - 1);
	put_opt(OPT_COMMENT, comment, strlen(comment));
	put_end(total);
}

/* What the owner calls it; its number when the owner has none. */
static void name_find(bool is_port, uint32_t id, char *to, size_t size)
{
	const void *msg = object_find(is_port ? HD_API_PORT : HD_API_IFACE, &id);

	if (msg == NULL)
		snprintf(to, size, id == 0 ? "none" : "%s%u", is_port ? "port" : "iface", id);
	else
		snprintf(to, size, "%.*s", (int)HD_API_NAME_MAX,
			 is_port ? ((const struct hd_api_port *)msg)->name :
				   ((const struct hd_api_iface *)msg)->name);
}

/* Number of the pcapng interface; its block is written when it is first met. */
static uint32_t iface_index(uint16_t link, bool is_port, uint16_t id)
{
	static const uint8_t nanoseconds = 9;
	char name[80];
	uint32_t i, other = 0;

	for (i = 0; i < file.n_ifaces; i++) {
		if (file.iface[i].link != link)
			continue;
		if (file.iface[i].is_port == is_port && file.iface[i].id == id)
			return i;
		other = i;
	}
	if (i ==
	    IFACES_MAX -
		    (link ==
		     LINK_ETH)) /* the packet's comment still tells; one place is kept for LINK_IP */
		return other;
	file.iface[i].link = link;
	file.iface[i].is_port = is_port;
	file.iface[i].id = id;
	file.n_ifaces++;
	name_find(is_port, id, name, sizeof(name));
	if (link == LINK_IP)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "/ip");
	uint32_t total = (uint32_t)(12 + 8 + opt_size(strlen(name)) + opt_size(1) + 4);
	put32(BLOCK_IFACE);
	put32(total);
	put16(links[link].linktype);
	put16(0);
	put32(0); /* no limit: each packet says what it lacks */
	put_opt(IF_NAME, name, strlen(name));
	put_opt(IF_TSRESOL, &nanoseconds, 1);
	put_end(total);
	return i;
}

static const char *const result_names[HD_RESULT_MAX] = {
	[HD_RESULT_NONE] = "none",       [HD_RESULT_DROP] = "drop",   [HD_RESULT_PUNT] = "punt",
	[HD_RESULT_LOCAL] = "local",     [HD_RESULT_GLEAN] = "glean", [HD_RESULT_ADJ] = "adjacency",
	[HD_RESULT_GROUP] = "group",     [HD_RESULT_SID] = "sid",     [HD_RESULT_POLICY] = "policy",
	[HD_RESULT_SESSION] = "session", [HD_RESULT_VRF] = "vrf",
};

__attribute__((format(printf, 4, 5))) static size_t text_add(char *to, size_t size, size_t at,
							     const char *fmt, ...)
{
	va_list ap;

	if (at >= size)
		return at;
	va_start(ap, fmt);
	int n = vsnprintf(to + at, size - at, fmt, ap);
	va_end(ap);
	return RTE_MIN(at + (size_t)RTE_MAX(n, 0), size - 1);
}

static const char *node_name(uint32_t row)
{
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		if (d->row == row)
			return d->name;
	return "?";
}

/* One line for people: "ip6-input hop-limit: hop limit exceeded (RFC 4443 3.3); interface ge0 (3) vrf 0 ..." */
static void comment_build(const struct record *rec, uint32_t worker, char *to, size_t size)
{
	const struct hd_stats_hdr *h = stats_hdr();
	uint32_t from = node_row_of_vec(rec->verdict_vec);
	const char *kind = result_names[rec->result >> HD_RESULT_INDEX_BITS];
	char name[64];
	size_t at;

	at = text_add(to, size, 0, "node %s", node_name(rec->node));
	if (from != UINT32_MAX && from != rec->node && h != NULL) {
		const struct hd_stats_vec *v = hd_stats_vecs(h) + rec->verdict_vec;

		if (v->row_info_off != 0 && rec->verdict < v->n_rows) {
			const struct hd_stats_row *row =
				(const struct hd_stats_row *)((const uint8_t *)h +
							      v->row_info_off) +
				rec->verdict;
			at = text_add(to, size, at, ", from %s %s: %s", node_name(from), row->name,
				      row->text);
		}
	}
	at = text_add(to, size, at, "; worker %u, port %u", worker, rec->port);
	if (rec->iface != 0) {
		name_find(false, rec->iface, name, sizeof(name));
		at = text_add(to, size, at, ", interface %s (%u), vrf %u", name, rec->iface,
			      rec->vrf);
	}
	if (rec->result != 0)
		at = text_add(to, size, at, ", result %s %u", kind == NULL ? "?" : kind,
			      hd_result_index(rec->result));
	if (rec->object != 0)
		text_add(to, size, at, ", object %u", rec->object);
}

static void block_packet(const struct record *rec, uint32_t worker)
{
	bool is_port = rec->iface == 0 || rec->direction != 0;
	uint32_t iface = iface_index(rec->link, is_port, is_port ? rec->port : rec->iface);
	uint64_t ns = wallclock_at(wallclock_get(), rec->tsc);
	uint32_t flags = rec->direction;
	char comment[512];

	comment_build(rec, worker, comment, sizeof(comment));
	uint32_t total = (uint32_t)(12 + 20 + RTE_ALIGN(rec->caught, 4) + opt_size(4) +
				    opt_size(strlen(comment)) + 4);
	put32(BLOCK_PACKET);
	put32(total);
	put32(iface);
	put32((uint32_t)(ns >> 32));
	put32((uint32_t)ns);
	put32(rec->caught);
	put32(rec->whole);
	put(rec + 1, rec->caught);
	put_pad(rec->caught);
	put_opt(EPB_FLAGS, &flags, 4);
	put_opt(OPT_COMMENT, comment, strlen(comment));
	put_end(total);
}

/* ---- control thread: life of a capture ------------------------------------------------------------------- */

static void filter_free(struct filter *f)
{
	if (f->ebpf != NULL)
		rte_bpf_destroy(f->ebpf);
	pcap_freecode(&f->classic);
}

/* Compile for one link type.  0, or -EINVAL with libpcap's words in text. */
static int filter_compile(struct filter *f, enum link link, const char *expr, char *text,
			  size_t size)
{
	pcap_t *p = pcap_open_dead(links[link].dlt, 65535);
	struct rte_bpf_prm *prm;
	struct rte_bpf_jit jit = { 0 };

	if (p == NULL)
		return -ENOMEM;
	if (pcap_compile(p, &f->classic, expr, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(text, size, "filter \"%.80s\": %.120s", expr, pcap_geterr(p));
		pcap_close(p);
		return -EINVAL;
	}
	pcap_close(p);
	f->valid = true;
	prm = rte_bpf_convert(&f->classic);
	if (prm == NULL)
		return 0; /* libpcap's interpreter does it */
	f->ebpf = rte_bpf_load(prm);
	rte_free(prm);
	if (f->ebpf != NULL && rte_bpf_get_jit(f->ebpf, &jit) == 0)
		f->jit = jit.func;
	return 0;
}

static void capture_free(void *p)
{
	struct capture *c = p;

	if (c == NULL)
		return;
	for (unsigned i = 0; i < N_LINKS; i++)
		filter_free(&c->filter[i]);
	for (unsigned i = 0; c->ring != NULL && i < dp_limits.workers; i++)
		free(c->ring[i].mem);
	free(c->ring);
	free(c);
}

/* Memory is touched here, so that a worker does not even meet a page fault. */
static int rings_make(struct capture *c)
{
	uint32_t size = dp_limits.workers > 8 ? RING_SIZE_MANY : RING_SIZE;

	c->ring = aligned_alloc(RTE_CACHE_LINE_SIZE, dp_limits.workers * sizeof(*c->ring));
	if (c->ring == NULL)
		return -ENOMEM;
	memset(c->ring, 0, dp_limits.workers * sizeof(*c->ring));
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		c->ring[i].mask = size - 1;
		c->ring[i].mem = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
		if (c->ring[i].mem == NULL)
			return -ENOMEM;
		memset(c->ring[i].mem, 0, size);
	}
	return 0;
}

static uint32_t row_of(const char *node)
{
	const struct node_desc *d = node_desc_find(node);

	return d == NULL ? UINT32_MAX : d->row;
}

static int capture_make(const struct hd_api_capture_start *req, struct capture **ret, char *text,
			size_t size)
{
	struct capture *c = calloc(1, sizeof(*c));
	char ignored[256];
	int rc = -ENOMEM;

	if (c == NULL)
		return rc;
	c->snaplen = req->snaplen == 0 ? 262144 : req->snaplen;
	c->ends = req->node[0] == '\0';
	c->all = req->filter[0] == '\0';
	c->drops = strcmp(req->node, "drop") == 0;
	c->row = row_of(req->node);
	c->row_rx = row_of("port-rx");
	c->row_tx = row_of("port-tx");
	c->row_eth = row_of("eth-input");
	c->row_drop = row_of("drop");
	c->row_error = row_of("icmp-error");
	if (!c->ends && c->row == UINT32_MAX) {
		snprintf(text, size, "there is no graph node \"%s\": see heddle show graph",
			 req->node);
		rc = -ENOENT;
		goto fail;
	}
	if (!c->all) {
		rc = filter_compile(&c->filter[LINK_ETH], LINK_ETH, req->filter, text, size);
		if (rc < 0)
			goto fail;
		rc = filter_compile(&c->filter[LINK_IP], LINK_IP, req->filter, ignored,
				    sizeof(ignored));
		if (rc < 0 && rc != -EINVAL)
			goto fail;
	}
	rc = rings_make(c);
	if (rc < 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	capture_free(c);
	return rc;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void watch_set(bool on)
{
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		uint32_t v = on ? workers[i]->watch | WATCH_CAPTURE :
				  workers[i]->watch & ~WATCH_CAPTURE;
		__atomic_store_n(&workers[i]->watch, v, __ATOMIC_RELEASE);
	}
}

/* A pipe or socket could block the control loop, so only what cannot is taken. */
static int fd_check(int fd, char *text, size_t size)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (fd < 0 || flags < 0 || fstat(fd, &st) < 0) {
		snprintf(text, size, "a capture needs a descriptor to write to (SCM_RIGHTS)");
		return -EBADF;
	}
	if (!S_ISREG(st.st_mode) || (flags & O_ACCMODE) == O_RDONLY) {
		snprintf(text, size,
			 "the descriptor must be a regular file or a memfd, open for writing");
		return -EINVAL;
	}
	return 0;
}

int capture_start(const struct hd_api_capture_start *req, int fd, uint32_t *ret_id, char *text,
		  size_t size)
{
	struct capture *c;
	char comment[640];
	int rc;

	text[0] = '\0';
	/* libpcap looks host names up: in /etc/hosts, never by a DNS query that the control loop would wait for. */
	__nss_configure_lookup("hosts", "files");
	if (memchr(req->node, '\0', sizeof(req->node)) == NULL ||
	    memchr(req->filter, '\0', sizeof(req->filter)) == NULL) {
		snprintf(text, size, "node or filter does not end");
		rc = -EINVAL;
		goto close_fd;
	}
	if (file.state != CAP_IDLE) {
		snprintf(text, size, "capture %u is running: stop it first", file.id);
		rc = -EBUSY;
		goto close_fd;
	}
	rc = fd_check(fd, text, size);
	if (rc < 0)
		goto close_fd;
	file.out = malloc(OUT_ROOM);
	if (file.out == NULL) {
		rc = -ENOMEM;
		goto close_fd;
	}
	rc = capture_make(req, &c, text, size);
	if (rc < 0)
		goto free_out;

	file.state = CAP_RUNNING;
	file.id++;
	file.count = req->count;
	file.written = file.n_ifaces = 0;
	file.fd = fd;
	file.error = 0;
	file.octets = file.out_len = 0;
	file.limit = fcntl(fd, F_GET_SEALS) >= 0 ? MEMFD_MAX : 0;
	snprintf(comment, sizeof(comment), "%s%s%s%s", c->ends ? "port-rx and port-tx" : "node ",
		 c->ends ? "" : req->node, c->all ? "" : ", filter ", c->all ? "" : req->filter);
	block_section(comment);
	out_flush(); /* a reader sees a valid file from now on */
	__atomic_store_n(&active, c, __ATOMIC_RELEASE);
	watch_set(true);
	*ret_id = file.id;
	return 0;
free_out:
	free(file.out);
	file.out = NULL;
close_fd:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Write records of one ring, at most until the turn's budget or the count is used up.  False: nothing was there. */
static bool ring_drain(struct ring *r, uint32_t worker, size_t *budget)
{
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	bool any = r->tail != head;

	while (r->tail != head && *budget != 0 && file.error == 0 &&
	       (file.count == 0 || file.written < file.count)) {
		const struct record *rec =
			(const struct record *)(r->mem + ((uint32_t)r->tail & r->mask));

		if (!rec->filler) {
			block_packet(rec, worker);
			file.written++;
		}
		*budget -= RTE_MIN(*budget, (size_t)rec->size);
		__atomic_store_n(&r->tail, r->tail + rec->size, __ATOMIC_RELEASE);
	}
	return any;
}

static bool drain(size_t budget)
{
	bool any = false;

	for (unsigned i = 0; i < dp_limits.workers; i++)
		any |= ring_drain(&active->ring[i], i, &budget);
	if (file.out_len != 0)
		out_flush();
	return any;
}

static void finish(void)
{
	struct hd_api_event ev = { .kind = HD_EVENT_CAPTURE_DONE };
	struct capture *c = active;
	uint64_t missed = 0, written = file.written;

	for (unsigned i = 0; i < dp_limits.workers; i++)
		missed += __atomic_load_n(&c->ring[i].missed, __ATOMIC_RELAXED);
	if (file.n_ifaces != 0 && file.error == 0) {
		uint64_t ns = now_ns(CLOCK_REALTIME);
		uint32_t total = (uint32_t)(12 + 12 + 2 * opt_size(8) + 4);

		put32(BLOCK_STATS);
		put32(total);
		put32(0);
		put32((uint32_t)(ns >> 32));
		put32((uint32_t)ns);
		put_opt(ISB_IFDROP, &missed, 8);
		put_opt(ISB_USRDELIV, &written, 8);
		put_end(total);
		out_flush();
	}
	close(file.fd);
	free(file.out);
	file.fd = -1;
	file.out = NULL;
	file.state = CAP_IDLE;
	__atomic_store_n(&active, NULL, __ATOMIC_RELEASE);
	rcu_retire(c, capture_free);

	ev.u.capture.capture_id = file.id;
	ev.u.capture.packets = file.written;
	ev.u.capture.missed = (uint32_t)RTE_MIN(missed, (uint64_t)UINT32_MAX);
	ev.u.capture.error = (uint32_t)file.error;
	if (file.error == EFBIG)
		snprintf(ev.text, sizeof(ev.text),
			 "capture into memory reached its limit of %u MiB: use a file",
			 MEMFD_MAX >> 20);
	else if (file.error != 0)
		snprintf(ev.text, sizeof(ev.text), "writing the capture failed: %s",
			 strerror(file.error));
	if (file.error != 0)
		log_warn("capture: %s", ev.text);
	log_info("capture %u ended: %u packets, %llu missed", file.id, file.written,
		 (unsigned long long)missed);
	api_server_event(&ev);
}

static void stop_begin(void)
{
	if (file.state != CAP_RUNNING)
		return;
	watch_set(false);
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++)
		file.stop_loops[i] = __atomic_load_n(&workers[i]->stats->loops, __ATOMIC_ACQUIRE);
	file.stop_ms = now_ns(CLOCK_MONOTONIC) / 1000000;
	file.state = CAP_STOPPING;
}

int capture_stop(void)
{
	if (file.state == CAP_IDLE)
		return -ENOENT;
	stop_begin();
	return 0;
}

/* Has every worker begun a walk since the stop, so that none still copies? */
static bool workers_passed(void)
{
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++)
		if (__atomic_load_n(&workers[i]->stats->loops, __ATOMIC_ACQUIRE) ==
		    file.stop_loops[i])
			return false;
	return true;
}

void capture_poll(void)
{
	if (file.state == CAP_IDLE)
		return;
	bool late = file.state == CAP_STOPPING &&
		    now_ns(CLOCK_MONOTONIC) / 1000000 - file.stop_ms > STOP_WAIT_MS;
	bool passed = file.state == CAP_STOPPING && (workers_passed() || late);
	bool any = drain(POLL_MAX);

	if (file.error != 0 || (file.count != 0 && file.written >= file.count)) {
		watch_set(false);
		finish();
	} else if (passed && !any) {
		finish();
	}
}

void capture_fini(void)
{
	if (file.state == CAP_IDLE)
		return;
	watch_set(false);
	drain(SIZE_MAX);
	finish();
}
