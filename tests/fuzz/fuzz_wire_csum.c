/* SPDX-License-Identifier: BSD-3-Clause */
/* Internet checksum: in pieces, against its definition, and updated instead of recomputed.
 * Input: split position, position and length of the change, then the data. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/wire.h>

static uint16_t slow(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t split, at, n;
	uint8_t *buf, old[8];
	be16_t csum;

	if (size < 3 + 2)
		return 0;
	split = data[0] * 2u;
	at = data[1] * 2u;
	n = (data[2] & 3) * 2u;
	data += 3;
	size -= 3;
	fuzz_assert(be16_get(hd_csum(data, size)) == slow(data, size));
	if (split <= size)
		fuzz_assert(be16_get(hd_csum_fold(hd_csum_add(hd_csum_add(0, data, split),
							      data + split, size - split))) ==
			    slow(data, size));
	if (at < 2 || at + n > size)
		return 0;
	buf = malloc(size); /* a checksum field in front, then a change */
	memcpy(buf, data, size);
	memset(buf, 0, 2);
	csum = hd_csum(buf, size);
	memcpy(buf, &csum, 2);
	fuzz_assert(hd_csum_ok(hd_csum_add(0, buf, size)));
	memcpy(old, buf + at, n);
	memcpy(buf + at, data, n);
	csum = hd_csum_update(csum, old, buf + at, n);
	memset(buf, 0, 2);
	if (slow(buf, size) ==
	    0xffff) { /* nothing but zeros: no header, and out of reach of RFC 1624 */
		free(buf);
		return 0;
	}
	memcpy(buf, &csum, 2);
	fuzz_assert(hd_csum_ok(hd_csum_add(0, buf, size)));
	free(buf);
	return 0;
}
