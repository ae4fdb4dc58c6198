/* SPDX-License-Identifier: BSD-3-Clause
 * Crash report (crash.h).  What runs after the signal uses only async-signal-safe calls, a buffer of its own and
 * memory prepared before; it writes the surest things first, since what it reads may be what was broken.  A second
 * fault while it writes ends the process at once, with what is written by then. */
#include "dataplane/crash.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/node.h"
#include "dataplane/worker.h"

#define STACK_SIZE 65536u
#define FRAMES_MAX 64

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

static struct {
	int dir_fd;
	pid_t thread; /* the first to crash writes the report; 0: none yet */
	uint64_t tsc_hz;
	char path[256], file[32], software[64], build_id[48];
} crash = { .dir_fd = -1 };

/* ---- ring of table transactions -------------------------------------------------------------------------- */

#define NOTE_TEXT 104u

/* One writer, the control thread; the report reads what is there, if need be a note half written. */
static struct note {
	uint64_t tsc;
	const char *name; /* of an object kind; NULL: text */
	int rc;
	uint8_t del, key_size;
	union {
		char text[NOTE_TEXT];
		uint8_t key[NOTE_TEXT];
	} u;
} notes[CRASH_TXN_NOTES];
static uint32_t n_notes;

static struct note *note_next(void)
{
	struct note *n = &notes[n_notes % CRASH_TXN_NOTES];

	n->tsc = rte_rdtsc();
	return n;
}

static void note_done(void)
{
	__atomic_store_n(&n_notes, n_notes + 1, __ATOMIC_RELEASE);
}

void crash_txn_note(const char *fmt, ...)
{
	struct note *n = note_next();
	va_list ap;

	n->name = NULL;
	va_start(ap, fmt);
	vsnprintf(n->u.text, sizeof(n->u.text), fmt, ap);
	va_end(ap);
	note_done();
}

void crash_object_note(const char *name, bool del, const void *key, size_t key_size, int rc)
{
	struct note *n = note_next();

	n->name = name;
	n->rc = rc;
	n->del = del;
	n->key_size = (uint8_t)(key_size < NOTE_TEXT ? key_size : NOTE_TEXT);
	memcpy(n->u.key, key, n->key_size);
	note_done();
}

/* ---- writing, async-signal-safe -------------------------------------------------------------------------- */

static struct {
	int fd;
	size_t len;
	char buf[4096];
} out;

static void flush(void)
{
	for (size_t done = 0; done < out.len;) {
		ssize_t n = write(out.fd, out.buf + done, out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	out.len = 0;
}

static void put_char(char c)
{
	out.buf[out.len++] = c;
	if (out.len == sizeof(out.buf))
		flush();
}

static void put(const char *s)
{
	while (*s != '\0')
		put_char(*s++);
}

static void put_text(const char *s, size_t max) /* not to be trusted to end */
{
	for (size_t i = 0; i < max && s[i] != '\0'; i++)
		put_char(s[i] >= ' ' && s[i] <= '~' ? s[i] : '?');
}

static void put_u64(uint64_t v)
{
	char d[20];
	unsigned n = 0;

	do {
		d[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	while (n > 0)
		put_char(d[--n]);
}

static void put_i64(int64_t v)
{
	if (v < 0)
		put_char('-');
	put_u64(v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static void put_octets(const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		put_char(digit[p[i] >> 4]);
		put_char(digit[p[i] & 15]);
	}
}

static void put_addr(uint64_t v)
{
	uint8_t b[8];

	for (unsigned i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	put("0x");
	put_octets(b, 8);
}

/* Age of a time stamp as "1234 us"; the clock of another core may be ahead by a little. */
static void put_age(uint64_t now, uint64_t tsc)
{
	uint64_t ago = now > tsc ? now - tsc : 0, hz = crash.tsc_hz;

	put_u64(hz == 0 ? 0 : ago / hz * 1000000 + ago % hz * 1000000 / hz);
	put(" us");
}

/* ---- the report ------------------------------------------------------------------------------------------ */

static const char *signal_name(int sig)
{
	switch (sig) {
	case SIGSEGV:
		return "SIGSEGV, bad memory access";
	case SIGBUS:
		return "SIGBUS, bad memory access";
	case SIGILL:
		return "SIGILL, illegal instruction";
	case SIGFPE:
		return "SIGFPE, arithmetic fault";
	case SIGABRT:
		return "SIGABRT, abort() or failed assertion";
	}
	return "signal";
}

static const char *node_name(uint32_t row)
{
	if (row == UINT32_MAX)
		return "none (between two walks)";
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		if (d->row == row)
			return d->name;
	return "?";
}

/* Worker that runs on this thread, or NULL. */
static const struct worker *worker_here(void)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX && workers[i] != NULL; i++)
		if (workers[i]->lcore == rte_lcore_id())
			return workers[i];
	return NULL;
}

static void report_head(int sig, const siginfo_t *info, const struct worker *here)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	put("crash report of ");
	put(crash.software);
	put("\nbuild-id: ");
	put(crash.build_id[0] != '\0' ? crash.build_id : "none");
	put("\npid: ");
	put_u64((uint64_t)getpid());
	put("\nthread: ");
	put_u64((uint64_t)syscall(SYS_gettid));
	put("\ntime: ");
	put_u64((uint64_t)now.tv_sec);
	put(" (seconds since 1970)\nsignal: ");
	put_u64((uint64_t)sig);
	put(" (");
	put(signal_name(sig));
	put(")\ncode: ");
	put_i64(info->si_code);
	put("\naddress: ");
	put_addr(info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr : 0);
	put("\nworker: ");
	if (here == NULL) {
		put("none, a control thread\n");
	} else {
		put_u64(here->id);
		put(" in node ");
		put(node_name(here->cur_node));
		put("\n");
	}
	flush();
}

static void report_backtrace(const ucontext_t *uc)
{
	void *frame[FRAMES_MAX];

	(void)uc;
#ifdef __x86_64__
	static const struct {
		const char *name;
		int reg;
	} regs[] = { { "rip", REG_RIP }, { "rsp", REG_RSP }, { "rbp", REG_RBP }, { "rax", REG_RAX },
		     { "rbx", REG_RBX }, { "rcx", REG_RCX }, { "rdx", REG_RDX }, { "rsi", REG_RSI },
		     { "rdi", REG_RDI }, { "r8", REG_R8 },   { "r9", REG_R9 },   { "r10", REG_R10 },
		     { "r11", REG_R11 }, { "r12", REG_R12 }, { "r13", REG_R13 }, { "r14", REG_R14 },
		     { "r15", REG_R15 } };

	put("\nregisters:\n");
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		put("  ");
		put(regs[i].name);
		put(" ");
		put_addr((uint64_t)uc->uc_mcontext.gregs[regs[i].reg]);
		put("\n");
	}
#endif
	put("\nbacktrace (addr2line -e heddle-dp ADDRESS reads the offsets):\n");
	flush();
	int n = backtrace(frame, FRAMES_MAX);
	backtrace_symbols_fd(frame, n, out.fd);
}

static void report_packets(const struct flight *f, uint64_t now)
{
	uint32_t n = f->next < FLIGHT_PACKETS ? f->next : FLIGHT_PACKETS;

	put("  last packets received, newest first (age, port, octets, head):\n");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (f->next - 1 - i) % FLIGHT_PACKETS;
		uint32_t len = f->pkt[k].length < FLIGHT_HEAD ? f->pkt[k].length : FLIGHT_HEAD;

		put("    ");
		put_age(now, f->pkt[k].tsc);
		put(" port ");
		put_u64(f->pkt[k].port);
		put(" ");
		put_u64(f->pkt[k].length);
		put(" ");
		put_octets(f->head[k], len);
		put("\n");
	}
	flush();
}

/* What the node that runs has been given, as it is now: one of them is likely to be the cause. */
static void report_node_packets(const struct worker *w)
{
	rte_graph_off_t off;
	rte_node_t i;
	struct rte_node *node;

	if (w->graph == NULL || w->cur_node == UINT32_MAX)
		return;
	put("  packets in this node (octets, from where its data begins):\n");
	rte_graph_foreach_node(i, off, w->graph, node)
	{
		if (node_slot(node)->row != w->cur_node)
			continue;
		for (unsigned k = 0; k < node->idx && k < FLIGHT_PACKETS; k++) {
			const struct rte_mbuf *m = node->objs[k];

			put("    ");
			put_u64(m->pkt_len);
			put(" ");
			put_octets(rte_pktmbuf_mtod(m, const uint8_t *),
				   m->data_len < FLIGHT_HEAD ? m->data_len : FLIGHT_HEAD);
			put("\n");
		}
	}
	flush();
}

static void report_worker(const struct worker *w, uint64_t now)
{
	put("\nworker ");
	put_u64(w->id);
	put(": lcore ");
	put_u64(w->lcore);
	put(", node ");
	put(node_name(w->cur_node));
	put(", loops ");
	put_u64(w->stats == NULL ? 0 : w->stats->loops);
	put("\n");
	flush();
	if (w->flight != NULL)
		report_packets(w->flight, now);
	report_node_packets(w);
}

static void report_notes(uint64_t now)
{
	uint32_t end = __atomic_load_n(&n_notes, __ATOMIC_ACQUIRE);
	uint32_t n = end < CRASH_TXN_NOTES ? end : CRASH_TXN_NOTES;

	put("\nlast table transactions, newest first (age, what):\n");
	for (uint32_t i = 0; i < n; i++) {
		const struct note *t = &notes[(end - 1 - i) % CRASH_TXN_NOTES];

		put("  ");
		put_age(now, t->tsc);
		put(" ");
		if (t->name == NULL) {
			put_text(t->u.text, NOTE_TEXT);
		} else {
			put(t->del ? "del " : "set ");
			put(t->name);
			put(" key ");
			put_octets(t->u.key, t->key_size);
			put(" result ");
			put_i64(t->rc);
		}
		put("\n");
	}
	flush();
}

static void say_on_stderr(int sig, const struct worker *here, int report_fd)
{
	out.fd = STDERR_FILENO;
	put(crash.software);
	put(": crashed by ");
	put(signal_name(sig));
	if (here != NULL) {
		put(" in node ");
		put(node_name(here->cur_node));
		put(" of worker ");
		put_u64(here->id);
	}
	put(report_fd >= 0 ? "; report in " : "; no report, cannot write ");
	put(crash.path);
	put("/");
	put(crash.file);
	put("\n");
	flush();
}

static void report(int sig, const siginfo_t *info, const ucontext_t *uc)
{
	const struct worker *here = worker_here();
	uint64_t now = rte_rdtsc();
	int fd = openat(crash.dir_fd, crash.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	say_on_stderr(sig, here, fd);
	if (fd < 0)
		return;
	out.fd = fd;
	report_head(sig, info, here);
	report_backtrace(uc);
	if (here != NULL)
		report_worker(here, now);
	report_notes(now);
	for (unsigned i = 0; i < DP_WORKERS_MAX && workers[i] != NULL; i++)
		if (workers[i] != here)
			report_worker(workers[i], now);
	put("\nend of report\n");
	flush();
	close(fd);
}

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	pid_t me = (pid_t)syscall(SYS_gettid), first = 0;

	if (__atomic_compare_exchange_n(&crash.thread, &first, me, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		report(sig, info, uc);
	else if (first != me)
		sleep(5); /* another thread writes; when it is done the process ends */
	/* A fault is met again on return, a signal that was sent is sent again: both now kill, with their own core. */
	sigaction(sig, &dfl, NULL);
	if (info->si_code <= 0)
		raise(sig);
}

/* ---- set-up ---------------------------------------------------------------------------------------------- */

int crash_thread_init(void)
{
	stack_t s = { .ss_size = STACK_SIZE };

	/* Kept until the process ends; mapped, so that the page before it is not the heap. */
	s.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (s.ss_sp == MAP_FAILED)
		return -ENOMEM;
	return sigaltstack(&s, NULL) < 0 ? -errno : 0;
}

static int lcore_init(void *arg)
{
	(void)arg;
	return crash_thread_init();
}

/* The program's own .note.gnu.build-id; the first object listed is the program. */
static int build_id_find(struct dl_phdr_info *info, size_t size, void *arg)
{
	static const char digit[] = "0123456789abcdef";

	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const uint8_t *p = (const uint8_t *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
		size_t left = info->dlpi_phdr[i].p_memsz;

		while (info->dlpi_phdr[i].p_type == PT_NOTE && left >= sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *n = (const ElfW(Nhdr) *)p;
			size_t name = (n->n_namesz + 3u) & ~3u, desc = (n->n_descsz + 3u) & ~3u;
			const uint8_t *id = p + sizeof(*n) + name;

			if (sizeof(*n) + name + desc > left)
				break;
			if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && n->n_descsz <= 20) {
				for (unsigned k = 0; k < n->n_descsz; k++) {
					crash.build_id[2 * k] = digit[id[k] >> 4];
					crash.build_id[2 * k + 1] = digit[id[k] & 15];
				}
				return 1;
			}
			p += sizeof(*n) + name + desc;
			left -= sizeof(*n) + name + desc;
		}
	}
	return 1; /* only the program */
}

int crash_init(const char *dir, const char *software)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frame[4];
	unsigned lcore;
	int rc;

	crash.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (crash.dir_fd < 0)
		return -errno;
	if (faccessat(crash.dir_fd, ".", W_OK, AT_EACCESS) < 0) {
		rc = -errno;
		goto close_dir;
	}
	snprintf(crash.path, sizeof(crash.path), "%s", dir);
	snprintf(crash.file, sizeof(crash.file), "crash-%d.txt", (int)getpid());
	snprintf(crash.software, sizeof(crash.software), "%s", software);
	crash.tsc_hz = rte_get_tsc_hz();
	crash.thread = 0;
	dl_iterate_phdr(build_id_find, NULL);
	backtrace(frame, 4); /* loads libgcc now: it allocates */
	rc = crash_thread_init();
	if (rc < 0)
		goto close_dir;
	RTE_LCORE_FOREACH_WORKER(lcore) {
		rc = rte_eal_remote_launch(lcore_init, NULL, lcore);
		if (rc == 0)
			rc = rte_eal_wait_lcore(lcore);
		if (rc < 0)
			goto close_dir;
	}
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	return 0;
close_dir:
	close(crash.dir_fd);
	crash.dir_fd = -1;
	return rc;
}

void crash_fini(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	if (crash.dir_fd < 0)
		return;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &dfl, NULL);
	close(crash.dir_fd);
	crash.dir_fd = -1;
}
