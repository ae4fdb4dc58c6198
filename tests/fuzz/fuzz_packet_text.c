/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers in words, as traces and drops show them.  Input: one octet that chooses the size of the text, then the head
 * of a packet. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#include "ctrl/debug/debug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room, len;
	uint8_t *head;
	char *text;

	if (size < 1)
		return 0;
	room = 1 + data[0] * 2u; /* exactly as large as it says */
	len = size - 1;
	text = malloc(room);
	head = malloc(len != 0 ? len : 1);
	memcpy(head, data + 1, len);
	fuzz_assert(debug_packet_text(head, len, text, room) == text);
	fuzz_assert(memchr(text, '\0', room) != NULL);
	free(head);
	free(text);
	return 0;
}
