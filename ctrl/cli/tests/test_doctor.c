/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: a host that is fit has nothing to mend; each thing broken in it is found, alone, with the command. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

volatile sig_atomic_t cli_interrupted;

static char root[] = "/tmp/heddle-doctor.XXXXXX", run_dir[64];
static struct doctor d;

/* --- a host in a directory ------------------------------------------------------------------------ */

static void dirs_of(const char *path)
{
	char copy[600];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
}

static void put(const char *path, const char *text)
{
	char full[600];

	snprintf(full, sizeof(full), "%s%s", root, path);
	dirs_of(full);
	FILE *f = fopen(full, "w");
	cr_assert_not_null(f, "%s", full);
	fputs(text, f);
	fclose(f);
}

static void put_link(const char *path, const char *to)
{
	char full[600];

	snprintf(full, sizeof(full), "%s%s", root, path);
	dirs_of(full);
	unlink(full);
	cr_assert_eq(symlink(to, full), 0);
}

static void take(const char *path)
{
	char full[600];

	snprintf(full, sizeof(full), "%s%s", root, path);
	cr_assert_eq(remove(full), 0, "%s", full);
}

#define CPU  "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define PMDS "/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_"
#define NIC  "/sys/bus/pci/devices/0000:3b:00.0"

/* Four CPUs in two cores of one node, 2 and 3 isolated; a NIC bound to vfio-pci. */
static void host_up(void)
{
	static const char *const pmds[] = { "af_packet", "af_xdp", "tap", "memif",
					    "virtio",    "iavf",   "ice", "mlx5" };
	char path[200];

	put("/proc/cpuinfo",
	    "model name\t: Test CPU\nflags\t\t: fpu constant_tsc nonstop_tsc avx2 bmi2\n");
	put(CPU "/online", "0-3\n");
	put(CPU "/isolated", "2-3\n");
	put(CPU "/smt/active", "0\n");
	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), CPU "/cpu%u/cpufreq/scaling_governor", i);
		put(path, "performance\n");
		snprintf(path, sizeof(path), CPU "/cpu%u/topology/thread_siblings_list", i);
		put(path, i < 2 ? "0-1\n" : "2-3\n");
	}
	put("/proc/cmdline", "isolcpus=2-3 nohz_full=2-3\n");
	put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put(NODE "/node0/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
	put(NODE "/node0/hugepages/hugepages-2048kB/free_hugepages", "400\n");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("/proc/meminfo", "MemAvailable:    8000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
	for (size_t i = 0; i < sizeof(pmds) / sizeof(pmds[0]); i++) {
		snprintf(path, sizeof(path), PMDS "%s.so.23", pmds[i]);
		put(path, "");
	}
	put(NIC "/class", "0x020000\n");
	put(NIC "/numa_node", "0\n");
	put_link(NIC "/driver", "../../../../bus/pci/drivers/vfio-pci");
	put("/sys/kernel/iommu_groups/0/type", "DMA\n");
	put("/sys/module/vfio_pci/version", "");
	put("/proc/sys/net/core/bpf_jit_enable", "1\n");
	put("/proc/mounts", "bpf /sys/fs/bpf bpf rw 0 0\n");
	put("/proc/sys/net/ipv6/conf/all/seg6_enabled", "0\n");
	put("/proc/sys/kernel/osrelease", "6.1.0\n");
	put("/proc/77/status", "CapEff:\t000000ffffffffff\n");
	put("/proc/77/limits",
	    "Max locked memory         unlimited            unlimited            bytes\n");
}

/* An answer in place of another; text NULL: there is none. */
static void answer(struct json_object **at, const char *text)
{
	json_object_put(*at);
	*at = text != NULL ? json_tokener_parse(text) : NULL;
	cr_assert(text == NULL || *at != NULL);
}

#define WORKER(id, cpu, state, loops, idle, queues)                                             \
	"{\"id\":" #id ",\"cpu\":" #cpu ",\"numa\":0,\"state\":\"" state "\",\"queue\":" queues \
	",\"counter\":[{\"name\":\"loops\",\"value\":\"" #loops                                 \
	"\"},{\"name\":\"idle-loops\",\"value\":\"" #idle "\"}]}"
#define PORT(driver, link, missed)                                                                               \
	"{\"interface\":[{\"name\":\"wan\",\"kind\":\"port\",\"port\":\"wan\",\"enabled\":true,\"link\":\"" link \
	"\",\"driver\":\"" driver                                                                                \
	"\",\"device\":\"0000:3b:00.0\",\"counter\":[{\"name\":\"rx-missed\",\"value\":\"" missed                \
	"\"}]}]}"
#define SYSTEM(ctrl, dp, synchronised)                                                    \
	"{\"configuration\":{\"revision\":3,\"objects\":18},\"version\":\"" ctrl          \
	"\",\"api-version\":1,\"dataplane\":{\"connected\":true,\"pid\":77,\"software\":" \
	"\"heddle-dp " dp "\",\"synchronised\":" synchronised ",\"last-error\":\"\"}}"

static void system_up(void)
{
	answer(&d.system, SYSTEM(HEDDLE_VERSION, HEDDLE_VERSION, "true"));
	answer(&d.workers_before, "{\"worker\":[" WORKER(0, 2, "running", 0, 0, "[]") "]}");
	answer(&d.workers, "{\"worker\":[" WORKER(0, 2, "running", 1000, 500, "[\"wan/0\"]") "]}");
	answer(&d.interfaces, PORT("net_ice", "up", "0"));
	answer(&d.drops, "{\"drop\":[]}");
	answer(&d.drops_before, "{\"drop\":[]}");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void up(void)
{
	cr_assert_not_null(mkdtemp(root));
	snprintf(run_dir, sizeof(run_dir), "%s/run", root);
	mkdir(run_dir, 0755);
	d = (struct doctor){ .root = root, .run_dir = run_dir };
	host_up();
	system_up();
}

static void down(void)
{
	struct json_object **answers[] = { &d.system,         &d.workers,     &d.interfaces,
					   &d.drops,          &d.kernel,      &d.steering,
					   &d.workers_before, &d.drops_before };

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		answer(answers[i], NULL);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cli_doctor, .init = up, .fini = down);

/* --- what is found -------------------------------------------------------------------------------- */

static const char *all(void)
{
	static char text[20000];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < d.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d %s: %s > %s\n",
				      d.finding[i].level, d.finding[i].check, d.finding[i].found,
				      d.finding[i].mend);
	return text;
}

/* Exactly one finding above ok: of this level and check, with these words in it and in its command. */
static void expect(enum doctor_level level, const char *check, const char *found, const char *mend)
{
	const struct finding *f = NULL;

	doctor_run(&d, NULL);
	for (size_t i = 0; i < d.n; i++) {
		if (d.finding[i].level == DOCTOR_OK)
			continue;
		cr_assert_null(f, "more than one:\n%s", all());
		f = &d.finding[i];
	}
	cr_assert_not_null(f, "nothing was found:\n%s", all());
	cr_assert_eq(f->level, level, "%s", all());
	cr_assert_str_eq(f->check, check);
	cr_assert_not_null(strstr(f->found, found), "'%s' is not in '%s'", found, f->found);
	cr_assert_not_null(strstr(f->mend, mend), "'%s' is not in '%s'", mend, f->mend);
	cr_assert(level < DOCTOR_WARN || f->means != NULL || f->mend[0] != '\0', "what now?");
}

Test(cli_doctor, nothing_to_mend)
{
	doctor_run(&d, NULL);
	cr_assert_gt(d.n, 18);
	cr_assert_not_null(strstr(all(), "revision 3 is in force, 18 objects"), "%s", all());
	for (size_t i = 0; i < d.n; i++)
		cr_assert_eq(d.finding[i].level, DOCTOR_OK, "%s: %s", d.finding[i].check,
			     d.finding[i].found);
}

Test(cli_doctor, old_cpu)
{
	put("/proc/cpuinfo", "model name\t: Old\nflags\t\t: fpu constant_tsc nonstop_tsc sse4_2\n");
	expect(DOCTOR_ERROR, "cpu", "Old has no AVX2", "x86-64-v2");
}

Test(cli_doctor, governor)
{
	put(CPU "/cpu1/cpufreq/scaling_governor", "powersave\n");
	put(CPU "/cpu3/cpufreq/scaling_governor", "powersave\n");
	expect(DOCTOR_WARN, "governor", "powersave on CPUs 1,3", "cpupower");
}

Test(cli_doctor, worker_on_a_cpu_of_others)
{
	put(CPU "/isolated", "3\n");
	expect(DOCTOR_WARN, "isolation", "CPUs 2,", "isolcpus=2 ");
}

Test(cli_doctor, workers_on_one_cpu)
{
	answer(&d.workers,
	       "{\"worker\":[" WORKER(0, 2, "running", 1000, 500, "[\"wan/0\"]") "," WORKER(
		       1, 2, "running", 1000, 500, "[\"wan/1\"]") "]}");
	expect(DOCTOR_WARN, "isolation", "2 workers share the CPUs 2", "--cpus");
}

Test(cli_doctor, workers_of_one_core)
{
	put(CPU "/smt/active", "1\n");
	answer(&d.workers,
	       "{\"worker\":[" WORKER(0, 2, "running", 1000, 500, "[\"wan/0\"]") "," WORKER(
		       1, 3, "running", 1000, 500, "[\"wan/1\"]") "]}");
	expect(DOCTOR_WARN, "smt", "CPUs 2-3 share a core", "--cpus");
}

Test(cli_doctor, clock)
{
	put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
	expect(DOCTOR_WARN, "clock", "hpet", "tsc=reliable");
}

Test(cli_doctor, unsteady_counter)
{
	put("/proc/cpuinfo", "model name\t: T\nflags\t\t: fpu constant_tsc avx2 bmi2\n");
	expect(DOCTOR_WARN, "clock", "nonstop_tsc", "");
}

Test(cli_doctor, a_node_without_hugepages)
{
	put(NODE "/node1/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
	expect(DOCTOR_WARN, "hugepages", "node1 has none",
	       NODE "/node1/hugepages/hugepages-2048kB/nr_hugepages");
}

Test(cli_doctor, transparent_hugepages)
{
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
	expect(DOCTOR_WARN, "thp", "never", "echo madvise");
}

Test(cli_doctor, memory)
{
	put("/proc/meminfo", "MemAvailable:    80000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
	expect(DOCTOR_WARN, "memory", "78 MiB", "--mbufs");
}

Test(cli_doctor, a_usual_driver_is_missing)
{
	take(PMDS "af_xdp.so.23");
	expect(DOCTOR_WARN, "drivers", "net_af_xdp", "apt-get install librte-net-af-xdp23");
}

Test(cli_doctor, the_driver_of_a_nic_is_missing)
{
	put_link(NIC "/driver", "../drivers/i40e");
	expect(DOCTOR_WARN, "drivers", "net_i40e is not installed (0000:3b:00.0)",
	       "librte-net-i40e23");
}

Test(cli_doctor, nic_without_a_driver_of_dpdk)
{
	put_link(NIC "/driver", "../drivers/r8169");
	expect(DOCTOR_NOTE, "nic", "r8169", "");
}

Test(cli_doctor, nic_without_any_driver)
{
	take(NIC "/driver");
	expect(DOCTOR_NOTE, "nic", "0000:3b:00.0 has no driver", "vfio-pci");
}

Test(cli_doctor, no_iommu)
{
	take("/sys/kernel/iommu_groups/0/type");
	take("/sys/kernel/iommu_groups/0");
	expect(DOCTOR_NOTE, "iommu", "off", "iommu=pt");
}

Test(cli_doctor, bpf_is_interpreted)
{
	put("/proc/sys/net/core/bpf_jit_enable", "0\n");
	expect(DOCTOR_WARN, "bpf", "interpreted", "bpf_jit_enable=1");
}

Test(cli_doctor, no_control_process)
{
	answer(&d.system, NULL);
	answer(&d.workers, NULL);
	answer(&d.interfaces, NULL);
	answer(&d.drops, NULL);
	put(CPU "/isolated", "2\n");
	expect(DOCTOR_ERROR, "processes", "heddle-ctrl does not answer",
	       "systemctl start heddle-ctrl");
}

Test(cli_doctor, versions_differ)
{
	answer(&d.system, SYSTEM(HEDDLE_VERSION, "0.0.9", "true"));
	expect(DOCTOR_WARN, "versions", "heddle-dp 0.0.9", "systemctl restart heddle-dp");
}

Test(cli_doctor, not_in_force)
{
	answer(&d.system, SYSTEM(HEDDLE_VERSION, HEDDLE_VERSION, "false"));
	expect(DOCTOR_ERROR, "configuration", "not in force", "heddle diff running dataplane");
}

Test(cli_doctor, a_crash_left_its_report)
{
	put("/run/crash-77.txt", "SIGSEGV\n");
	expect(DOCTOR_ERROR, "crashes", "crash-77.txt", "crash-77.txt");
}

Test(cli_doctor, rights_of_a_port)
{
	put("/proc/77/status", "CapEff:\t0000008000007000\n"); /* those of the unit */
	answer(&d.interfaces, PORT("net_af_xdp", "up", "0"));
	expect(DOCTOR_WARN, "rights", "lacks CAP_SYS_ADMIN for",
	       "AmbientCapabilities=CAP_SYS_ADMIN");
}

Test(cli_doctor, rights_are_enough)
{
	put("/proc/77/status", "CapEff:\t0000008000007000\n");
	answer(&d.interfaces, PORT("net_af_packet", "up", "0"));
	doctor_run(&d, "system");
	cr_assert_not_null(strstr(all(), "0 rights: heddle-dp has"), "%s", all());
}

Test(cli_doctor, little_may_be_locked)
{
	put("/proc/77/status", "CapEff:\t0000000000003000\n");
	put("/proc/77/limits",
	    "Max locked memory         8388608              8388608              bytes\n");
	expect(DOCTOR_WARN, "locked memory", "8192 KiB", "LimitMEMLOCK");
}

Test(cli_doctor, no_link)
{
	answer(&d.interfaces, PORT("net_ice", "down", "0"));
	expect(DOCTOR_WARN, "ports", "wan: no link", "ethtool wan");
}

Test(cli_doctor, the_device_lost_packets)
{
	answer(&d.interfaces, PORT("net_ice", "up", "512"));
	expect(DOCTOR_WARN, "ports", "wan: the device lost 512", "show workers");
}

Test(cli_doctor, a_worker_without_queue)
{
	answer(&d.workers, "{\"worker\":[" WORKER(0, 2, "running", 1000, 500,
						  "[\"wan/0\"]") "," WORKER(1, 3, "running", 1000,
									    999, "[]") "]}");
	expect(DOCTOR_WARN, "queues", "1 of 2 workers", "ethtool -L");
}

Test(cli_doctor, a_nic_at_another_node)
{
	put(NIC "/numa_node", "1\n");
	expect(DOCTOR_WARN, "numa", "worker 0 on memory node 0 polls wan, which is at node 1",
	       "node 1");
}

Test(cli_doctor, stall)
{
	answer(&d.workers, "{\"worker\":[" WORKER(0, 2, "stalled", 1000, 500, "[\"wan/0\"]") "]}");
	expect(DOCTOR_ERROR, "workers", "worker 0 makes no progress", "journalctl");
}

Test(cli_doctor, overload)
{
	answer(&d.workers, "{\"worker\":[" WORKER(0, 2, "running", 1000, 3, "[\"wan/0\"]") "]}");
	expect(DOCTOR_WARN, "workers", "busy in 997 of 1000", "show graph --rates");
}

#define DROP(severity, packets)                                                               \
	"{\"drop\":[{\"node\":\"ip6-input\",\"reason\":\"no-route\",\"severity\":\"" severity \
	"\",\"packets\":\"" packets "\",\"help\":\"no route\"}]}"

Test(cli_doctor, drops_that_go_on)
{
	answer(&d.drops_before, DROP("error", "5"));
	answer(&d.drops, DROP("error", "9"));
	expect(DOCTOR_ERROR, "drops", "ip6-input: 9 no-route packets, more by the second",
	       "heddle explain --drop ip6-input/no-route");
}

Test(cli_doctor, drops_of_once)
{
	answer(&d.drops_before, DROP("warn", "9"));
	answer(&d.drops, DROP("warn", "9"));
	doctor_run(&d, "system");
	cr_assert_null(strstr(all(), "no-route"), "a warning that does not go on is none: %s",
		       all());
}

Test(cli_doctor, the_kernel_forwards_too)
{
	answer(&d.kernel,
	       "{\"enabled\":true,\"link\":[{\"netdev\":\"eth1\",\"kernel-forwards-ipv4\":true}]}");
	expect(DOCTOR_WARN, "kernel", "eth1", "sysctl -w net.ipv4.conf.eth1.forwarding=0");
}

Test(cli_doctor, sets_of_cpus)
{
	char text[60];
	struct cpus c = cpus_parse("0,2-4,7,1023,4000");

	cr_assert_str_eq(cpus_text(&c, text, sizeof(text)), "0,2-4,7,1023");
	cr_assert_eq(cpus_count(&c), 6);
	c = cpus_parse("");
	cr_assert_eq(cpus_count(&c), 0);
	cr_assert_str_eq(cpus_text(&c, text, sizeof(text)), "");
	c = cpus_parse("3-1,x");
	cr_assert_eq(cpus_count(&c), 0);
}
