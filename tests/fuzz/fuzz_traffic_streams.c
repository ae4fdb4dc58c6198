/* SPDX-License-Identifier: BSD-3-Clause
 * Stream files of heddle-bench traffic: YAML, or a pcap when it begins like one.  What is accepted must build frames of
 * the length it says, in which the payload is found again. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/traffic/sig.h"
#include "bench/traffic/stream.h"
#include "fuzz.h"

static void yaml_check(const struct streams *s)
{
	static uint8_t frame[FRAME_OCTETS_MAX];

	for (uint32_t i = 0; i < s->n; i++) {
		const struct packet *p = &s->stream[i].packet;
		uint32_t len = packet_octets(p, 60 + i), payload, n, csum;
		uint32_t flow = s->stream[i].flows - 1;

		packet_build(p, flow, len, frame);
		if (frame_find_payload(frame, len, &payload, &n, &csum) == 0)
			fuzz_assert(payload + n <= len && n >= SIG_LEN && csum < payload);
		if (s->stream[i].n_sizes != 0)
			packet_build(p, flow, packet_octets(p, s->stream[i].size[0] - FRAME_FCS),
				     frame);
	}
}

static void pcap_check(const struct streams *s)
{
	for (uint32_t k = 0; k < s->stream[0].n_frames; k++) {
		const struct stream_frame *f = &s->stream[0].frame[k];
		struct sig sig;

		fuzz_assert(f->sig + SIG_LEN <= f->len);
		fuzz_assert(sig_read(f->octets + f->sig, 0, 0, &sig));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct streams s;
	char err[256];
	bool pcap = size >= 4 && (data[0] == 0xd4 || data[0] == 0xa1 || data[0] == 0x0a);

	if (pcap) {
		FILE *f = fmemopen((void *)(uintptr_t)data, size, "r");

		if (f == NULL)
			return 0;
		if (streams_from_pcap(f, "fuzz", &s, err, sizeof(err)) == 0) {
			pcap_check(&s);
			streams_free(&s);
		}
		return 0;
	}
	if (streams_from_yaml((const char *)data, size, "fuzz", &s, err, sizeof(err)) == 0) {
		yaml_check(&s);
		streams_free(&s);
	}
	return 0;
}
