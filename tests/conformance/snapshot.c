/* SPDX-License-Identifier: BSD-3-Clause
 * A forked process shares the mappings that are MAP_SHARED, which DPDK's memory and the statistics are.  Here each
 * row's process makes them its own, copy on write, so that the node it finds is the one that was started. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/conformance.h"

/* A descriptor of this process for the file; negative: it was closed. */
static int fd_of(unsigned long inode)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && st.st_ino == inode && S_ISREG(st.st_mode))
			return fd;
	}
	return -1;
}

static int make_private(void *at, size_t size, off_t offset, unsigned long inode)
{
	int fd = fd_of(inode);
	void *copy;

	if (fd >= 0)
		return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
			    offset) == MAP_FAILED ?
			       -errno :
			       0;
	copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, at, size);
	return mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED ? -errno :
											   0;
}

int snapshot_private(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	struct {
		unsigned long from, to, offset, inode;
	} map[64];
	size_t n = 0;
	char line[512];
	int rc = 0;

	if (f == NULL)
		return -errno;
	/* all of them first: the list changes under the changes */
	while (n < 64 && fgets(line, sizeof(line), f) != NULL) {
		char perms[8];

		if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &map[n].from, &map[n].to, perms,
			   &map[n].offset, &map[n].inode) == 5 &&
		    strncmp(perms, "rw-s", 4) == 0 && strstr(line, "/memfd:") != NULL)
			n++;
	}
	fclose(f);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = make_private((void *)map[i].from, map[i].to - map[i].from,
				  (off_t)map[i].offset, map[i].inode);
	return rc;
}
