/* SPDX-License-Identifier: BSD-3-Clause
 * Fuzz target: the packets that `heddle explain` is given.  The first octet chooses: hexadecimal text, a flow with
 * SIDs, a capture file, or a packet whose fields are named and compared with itself changed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/explain_pcap.h"
#include "ctrl/debug/debug.h"
#include "ctrl/debug/explain_input.h"
#include "ctrl/debug/packet_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t packet[EXPLAIN_PACKET_MAX];

static void take(void *arg, enum packet_change what, const char *layer, const char *field,
		 const char *from, const char *to)
{
	(void)arg;
	(void)field;
	if (what > CHANGE_REMOVED || strlen(layer) + strlen(from) + strlen(to) == 0)
		abort();
}

static void fields(const uint8_t *p, size_t len)
{
	static struct packet_fields a, b;
	char text[600];

	packet_fields(p, len, 128, &a);
	packet_fields(p, len / 2, 128 - len % 40, &b);
	packet_changes(&a, &b, take, NULL);
	debug_packet_text(p, len, text, sizeof(text));
	explain_is_ip(p, len);
}

static void flow(const char *text, size_t size)
{
	struct explain_flow f;
	char why[300];
	int n;

	if (explain_flow_parse(text, &f, why, sizeof(why)) < 0)
		return;
	f.n_sids = (unsigned)size % (EXPLAIN_SIDS_MAX + 1);
	f.length = (uint16_t)(size * 37);
	n = explain_flow_build(&f, packet, sizeof(packet));
	if (n > 0 && !explain_is_ip(packet, (size_t)n))
		abort();
	if (n > 0)
		fields(packet, (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[300];
	size_t at;

	if (size < 2)
		return 0;
	char *text = malloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] & 3) {
	case 0: {
		int n = explain_hex(text, packet, sizeof(packet), &at);
		if (n > (int)sizeof(packet))
			abort();
		break;
	}
	case 1:
		flow(text, size);
		break;
	case 2: {
		FILE *f = fmemopen(text, size - 1, "rb");
		if (f != NULL)
			explain_pcap_frame(f, 1 + data[0] / 4, packet, sizeof(packet), why,
					   sizeof(why));
		break;
	}
	default:
		fields((const uint8_t *)text, size - 1);
		break;
	}
	free(text);
	return 0;
}
