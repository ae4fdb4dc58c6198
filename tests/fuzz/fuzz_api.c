/* SPDX-License-Identifier: BSD-3-Clause
 * Fuzz target: the table API's socket.  The first octet says whether the client greets first and in how many pieces the
 * rest arrives; the rest is what the client sends. */
#include <stdlib.h>

#include "dataplane/tests/api_bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void greet(int fd)
{
	struct {
		struct hd_api_hdr h;
		struct hd_api_hello hello;
	} m = { .h = { sizeof(m), HD_API_HELLO, HD_API_VERSION, 1, 0 },
		.hello = { .version = HD_API_VERSION } };

	if (send(fd, &m, sizeof(m), MSG_NOSIGNAL) == sizeof(m))
		api_server_poll();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ready;
	char sink[4096];

	if (!ready) {
		if (bed_start() < 0)
			abort();
		ready = 1;
	}
	if (size < 1)
		return 0;
	int fd = bed_connect(bed_path, SOCK_STREAM);
	if (fd < 0)
		abort();
	if ((data[0] & 1) != 0)
		greet(fd);
	size_t pieces = 1 + (data[0] >> 1) % 7, at = 1;
	for (size_t i = 1; i <= pieces && at < size; i++) {
		size_t end = i == pieces ? size : 1 + (size - 1) * i / pieces;

		if (end > at && send(fd, data + at, end - at, MSG_NOSIGNAL) < 0)
			break; /* the server has closed, as it may */
		at = end;
		api_server_poll();
	}
	while (recv(fd, sink, sizeof(sink), 0) > 0)
		;
	close(fd);
	api_server_poll();
	api_server_poll();
	return 0;
}
