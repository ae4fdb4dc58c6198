/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/cli/explain_pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pcap/pcap.h>

int explain_pcap_frame(FILE *f, unsigned long n, uint8_t *buf, size_t size, char *why,
		       size_t why_size)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_fopen_offline(f, err);
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned long seen = 0;
	int rc;

	if (p == NULL) {
		snprintf(why, why_size, "no capture file: %s", err);
		fclose(f);
		return -EINVAL;
	}
	int link = pcap_datalink(p);
	if (link != DLT_EN10MB && link != DLT_RAW && link != DLT_IPV4 && link != DLT_IPV6) {
		snprintf(why, why_size, "its link layer is %d, neither Ethernet nor IP", link);
		pcap_close(p);
		return -EINVAL;
	}
	do
		rc = pcap_next_ex(p, &h, &data);
	while (rc == 1 && ++seen < n);
	if (rc == 1 && seen == n && h->caplen < h->len) {
		snprintf(why, why_size, "only %u of frame %lu's %u octets were captured", h->caplen,
			 n, h->len);
		rc = -EBADMSG;
	} else if (rc == 1 && seen == n && h->caplen > size) {
		snprintf(why, why_size, "frame %lu has %u octets; explain takes up to %zu", n,
			 h->caplen, size);
		rc = -EMSGSIZE;
	} else if (rc == 1 && seen == n) {
		memcpy(buf, data, h->caplen);
		rc = (int)h->caplen;
	} else if (rc == PCAP_ERROR) {
		snprintf(why, why_size, "%.200s", pcap_geterr(p));
		rc = -EINVAL;
	} else {
		snprintf(why, why_size, "it has %lu frames; frames count from 1", seen);
		rc = -ENOENT;
	}
	pcap_close(p);
	return rc;
}

struct explain_pcap {
	pcap_t *p;
	pcap_dumper_t *d;
};

struct explain_pcap *explain_pcap_create(const char *path, char *why, size_t why_size)
{
	struct explain_pcap *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	x->p = pcap_open_dead(DLT_EN10MB, 65535);
	x->d = x->p != NULL ? pcap_dump_open(x->p, path) : NULL;
	if (x->d == NULL) {
		snprintf(why, why_size, "%.200s",
			 x->p != NULL ? pcap_geterr(x->p) : "out of memory");
		if (x->p != NULL)
			pcap_close(x->p);
		free(x);
		return NULL;
	}
	return x;
}

void explain_pcap_add(struct explain_pcap *x, const uint8_t *frame, size_t len)
{
	struct pcap_pkthdr h = { .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len };

	h.ts.tv_sec = time(NULL);
	pcap_dump((u_char *)x->d, &h, frame);
}

int explain_pcap_close(struct explain_pcap *x)
{
	int rc = pcap_dump_flush(x->d) < 0 ? -EIO : 0;

	pcap_dump_close(x->d);
	pcap_close(x->p);
	free(x);
	return rc;
}
