/* SPDX-License-Identifier: BSD-3-Clause
 * Streams: defaults, sizes, and frames of a pcap file. */
#include "bench/traffic/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "bench/traffic/sig.h"

static const uint32_t imix[12] = { 64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 570, 64 };

int sizes_parse(const char *text, uint32_t size[STREAM_SIZES_MAX])
{
	int n = 0;

	if (strcmp(text, "imix") == 0) {
		memcpy(size, imix, sizeof(imix));
		return (int)(sizeof(imix) / sizeof(imix[0]));
	}
	for (const char *p = text; n < (int)STREAM_SIZES_MAX; p++) {
		char *end;
		unsigned long v = strtoul(p, &end, 10);

		if (end == p || p[0] == '-' || p[0] == '+' || p[0] == ' ' || v < 64 ||
		    v > FRAME_OCTETS_MAX + FRAME_FCS)
			return -EINVAL;
		size[n++] = (uint32_t)v;
		if (*end == '\0')
			return n;
		if (*end != ',')
			return -EINVAL;
		p = end;
	}
	return -EINVAL;
}

static void range_set(struct range *r, const void *first, uint8_t octets, uint64_t count)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->first, first, octets);
	r->octets = octets;
	r->count = count;
}

void streams_default(struct streams *ret, uint32_t flows, bool both_ways)
{
	memset(ret, 0, sizeof(*ret));
	ret->n = both_ways ? 2 : 1;
	for (uint32_t i = 0; i < ret->n; i++) {
		struct stream *s = &ret->stream[i];
		struct layer *l = s->packet.layer;

		*s = (struct stream){ .from = i,
				      .to = 1 - i,
				      .weight = 1,
				      .flows = flows,
				      .own_src = true,
				      .own_dst = true };
		snprintf(s->name, sizeof(s->name), "%s", i == 0 ? "forward" : "backward");
		s->packet.n_layers = 3;
		l[0].kind = LAYER_ETH;
		range_set(&l[0].src, "\0\0\0\0\0\0", 6, 1);
		range_set(&l[0].dst, "\0\0\0\0\0\0", 6, 1);
		l[1] = (struct layer){ .kind = LAYER_IP4, .hops = 64 };
		range_set(&l[1].src, i == 0 ? "\xc6\x12\0\x02" : "\xc6\x13\0\x02", 4, 1);
		range_set(&l[1].dst, i == 0 ? "\xc6\x13\0\x02" : "\xc6\x12\0\x02", 4, 1);
		l[2].kind = LAYER_UDP;
		range_set(&l[2].src, "\xc0\x20", 2, 16384 - 0x20 < flows ? 16384 - 0x20 : flows);
		range_set(&l[2].dst, "\0\x07", 2, 1);
	}
}

void streams_free(struct streams *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		for (uint32_t k = 0; k < s->stream[i].n_frames; k++)
			free(s->stream[i].frame[k].octets);
		free(s->stream[i].frame);
	}
	memset(s, 0, sizeof(*s));
}

/* Room for the signature in a frame of a capture: its checksum becomes right for the signature's constant sum. */
static int frame_take(const uint8_t *octets, uint32_t len, struct stream_frame *ret)
{
	uint32_t payload, n, csum, at;
	struct sig zero = { 0 };
	uint8_t *f;
	int rc = frame_find_payload(octets, len, &payload, &n, &csum);

	if (rc < 0)
		return rc;
	if (n < SIG_LEN)
		return -EMSGSIZE;
	f = malloc(len);
	if (f == NULL)
		return -ENOMEM;
	memcpy(f, octets, len);
	at = payload + n - SIG_LEN;
	if (csum != 0) {
		/* Whole words of the checksummed data: an odd first or last octet keeps its neighbour. */
		uint8_t old[SIG_LEN + 2] = { 0 }, new[SIG_LEN + 2] = { 0 };
		uint32_t odd = (at - payload) & 1;
		be16_t c;

		memcpy(old + odd, f + at, SIG_LEN);
		sig_write(f + at, &zero);
		memcpy(new + odd, f + at, SIG_LEN);
		memcpy(&c, f + csum, 2);
		c = hd_csum_update(c, old, new, sizeof(old));
		memcpy(f + csum, be16_get(c) == 0 ? (const uint8_t *)"\xff\xff" : c.b, 2);
	} else {
		sig_write(f + at, &zero);
	}
	*ret = (struct stream_frame){ .octets = f, .len = len, .sig = at };
	return 0;
}

static const char *frame_error(int rc)
{
	switch (rc) {
	case -EBADMSG:
		return "is truncated or contradicts itself";
	case -EMSGSIZE:
		return "has less than 18 octets of payload, no room for the signature";
	case -ENOMEM:
		return "found no memory";
	default:
		return "has no whole TCP or UDP packet inside";
	}
}

int streams_from_pcap(FILE *f, const char *name, struct streams *ret, char *err, size_t err_size)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *h;
	const u_char *octets;
	struct stream *s = &ret->stream[0];
	pcap_t *p;
	int rc;

	memset(ret, 0, sizeof(*ret));
	p = pcap_fopen_offline(f, why); /* takes f, unless it fails */
	if (p == NULL) {
		fclose(f);
		snprintf(err, err_size, "%s: %s", name, why);
		return -EINVAL;
	}
	ret->n = 1;
	*s = (struct stream){ .to = 1, .weight = 1 };
	snprintf(s->name, sizeof(s->name), "pcap");
	s->frame = calloc(STREAM_FLOWS_MAX, sizeof(*s->frame));
	rc = s->frame == NULL ? -ENOMEM : 0;
	if (rc == 0 && pcap_datalink(p) != DLT_EN10MB) {
		snprintf(err, err_size, "%s: its link type is not Ethernet", name);
		rc = -EINVAL;
	}
	while (rc == 0 && (rc = pcap_next_ex(p, &h, &octets)) == 1) {
		rc = 0;
		if (s->n_frames == STREAM_FLOWS_MAX) {
			snprintf(err, err_size, "%s: more than %u frames", name, STREAM_FLOWS_MAX);
			rc = -E2BIG;
		} else if (h->caplen != h->len || h->caplen > FRAME_OCTETS_MAX) {
			snprintf(
				err, err_size,
				"%s: frame %u: was cut when it was captured, or has more than %u octets",
				name, s->n_frames + 1, FRAME_OCTETS_MAX);
			rc = -EINVAL;
		} else {
			rc = frame_take(octets, h->caplen, &s->frame[s->n_frames]);
			if (rc < 0)
				snprintf(err, err_size, "%s: frame %u: %s", name, s->n_frames + 1,
					 frame_error(rc));
			else
				s->n_frames++;
		}
	}
	if (rc == PCAP_ERROR) {
		snprintf(err, err_size, "%s: frame %u: %s", name, s->n_frames + 1, pcap_geterr(p));
		rc = -EINVAL;
	} else if (rc == PCAP_ERROR_BREAK || rc == 0) {
		rc = 0;
		if (s->n_frames == 0) {
			snprintf(err, err_size, "%s: no frames", name);
			rc = -EINVAL;
		}
	}
	pcap_close(p);
	s->flows = s->n_frames;
	if (rc < 0)
		streams_free(ret);
	return rc;
}
