/* SPDX-License-Identifier: BSD-3-Clause
 * The crypto device behind hmac_many(), and the choice between it and libcrypto. */
#include "dataplane/hmac_many.h"

#include <limits.h>
#include <string.h>

#include <rte_cryptodev.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_mempool.h>

#include "dataplane/log.h"

#define DEVICE "crypto_aesni_mb_hmac"
/* More than there are keys: replaced ones live on until no worker uses them. */
#define SESSIONS 640u
#define AT_ONCE  64u

static struct {
	int dev; /* -1: none */
	bool tried;
	struct rte_mempool *pool;
} mb = { .dev = -1 };
unsigned hmac_many_min = UINT_MAX;

static void one(struct hmac_job *j)
{
	const struct hmac_part text = { j->text, j->len };

	hmac_sha256(j->key, &text, 1, j->digest);
}

/* n <= AT_ONCE messages under one key that has a session. */
static void together(struct hmac_job *const *job, unsigned n)
{
	struct rte_crypto_va_iova_ptr digest[AT_ONCE], iv[AT_ONCE];
	struct rte_crypto_vec text[AT_ONCE];
	struct rte_crypto_sgl sgl[AT_ONCE];
	int32_t status[AT_ONCE] = { 0 };
	struct rte_crypto_sym_vec v = {
		.num = n, .src_sgl = sgl, .iv = iv, .digest = digest, .status = status
	};
	const union rte_crypto_sym_ofs whole = { .raw = 0 };

	for (unsigned i = 0; i < n; i++) {
		text[i] = (struct rte_crypto_vec){ .base = job[i]->text, .len = job[i]->len };
		sgl[i] = (struct rte_crypto_sgl){ .vec = &text[i], .num = 1 };
		digest[i].va = job[i]->digest;
		iv[i].va = job[i]->text; /* not used by this algorithm */
	}
	if (likely(rte_cryptodev_sym_cpu_crypto_process((uint8_t)mb.dev, job[0]->key->session,
							whole, &v) == n))
		return;
	for (unsigned i = 0; i < n; i++)
		if (status[i] != 0)
			one(job[i]);
}

void hmac_many(struct hmac_job *job, unsigned n)
{
	struct hmac_job *same[AT_ONCE];
	bool done[AT_ONCE];

	for (; n > AT_ONCE; job += AT_ONCE, n -= AT_ONCE)
		hmac_many(job, AT_ONCE);
	memset(done, 0, sizeof(done));
	for (unsigned i = 0; i < n; i++) {
		const void *session = job[i].key->session;
		unsigned k = 0;

		if (done[i])
			continue;
		for (unsigned j = i; session != NULL && n - i >= hmac_many_min && j < n; j++)
			if (job[j].key->session == session)
				same[k++] = &job[j];
		if (k < hmac_many_min) {
			one(&job[i]);
			continue;
		}
		together(same, k);
		for (unsigned j = 0; j < k; j++)
			done[same[j] - job] = true;
	}
}

/* Cycles of the quickest of a few turns over n messages. */
static uint64_t turn(struct hmac_job *job, unsigned n, unsigned min)
{
	uint64_t best = UINT64_MAX;

	hmac_many_min = min;
	for (unsigned i = 0; i < 16; i++) {
		uint64_t start = rte_rdtsc();

		hmac_many(job, n);
		best = RTE_MIN(best, rte_rdtsc() - start);
	}
	return best;
}

/* The smallest number of messages, texts of an SRH of four segments, for which the device is quicker by a tenth. */
static void measure(void *session)
{
	struct hmac_job job[AT_ONCE];
	uint64_t alone, with;
	struct hmac_key key;
	unsigned n;

	hmac_key_init(&key, "", 0);
	key.session = session;
	memset(job, 0, sizeof(job));
	for (unsigned i = 0; i < AT_ONCE; i++) {
		job[i].key = &key;
		job[i].len = 24 + 16 * 4;
	}
	for (n = 2; n <= AT_ONCE; n *= 2) {
		alone = turn(job, n, UINT_MAX);
		with = turn(job, n, 1);
		if (with + alone / 10 < alone)
			break;
	}
	hmac_many_min = n <= AT_ONCE ? n : UINT_MAX;
	if (n <= AT_ONCE)
		log_info("hmac: ipsec-mb takes %u and more digests at once: %lu cycles each, %lu "
			 "one by one",
			 n, (unsigned long)(with / n), (unsigned long)(alone / n));
	else
		log_info("hmac: libcrypto is quicker than ipsec-mb on this CPU");
}

static void *session_new(const void *secret, size_t len)
{
	uint8_t key[128]; /* the library's pointer is not const */
	struct rte_crypto_sym_xform x = {
		.type = RTE_CRYPTO_SYM_XFORM_AUTH,
		.auth = { .op = RTE_CRYPTO_AUTH_OP_GENERATE,
			  .algo = RTE_CRYPTO_AUTH_SHA256_HMAC,
			  .key = { .data = key, .length = (uint16_t)len },
			  .digest_length = HMAC_SHA256_LEN },
	};
	void *s;

	if (len == 0 || len > sizeof(key))
		return NULL;
	memcpy(key, secret, len);
	s = rte_cryptodev_sym_session_create((uint8_t)mb.dev, &x, mb.pool);
	hmac_wipe(key, sizeof(key));
	return s;
}

static int device_start(void)
{
	struct rte_cryptodev_config conf = { .nb_queue_pairs = 1,
					     .ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO };
	struct rte_cryptodev_qp_conf queue = { .nb_descriptors = AT_ONCE };
	struct rte_cryptodev_info info;
	int dev;

	if (rte_dev_probe(DEVICE) < 0 || (dev = rte_cryptodev_get_dev_id(DEVICE)) < 0)
		return -1;
	rte_cryptodev_info_get((uint8_t)dev, &info);
	if ((info.feature_flags & RTE_CRYPTODEV_FF_SYM_CPU_CRYPTO) == 0)
		return -1;
	mb.pool = rte_cryptodev_sym_session_pool_create(
		"hmac-sessions", SESSIONS, rte_cryptodev_sym_get_private_session_size((uint8_t)dev),
		0, 0, SOCKET_ID_ANY);
	queue.mp_session = mb.pool;
	if (mb.pool == NULL || rte_cryptodev_configure((uint8_t)dev, &conf) < 0 ||
	    rte_cryptodev_queue_pair_setup((uint8_t)dev, 0, &queue, SOCKET_ID_ANY) < 0 ||
	    rte_cryptodev_start((uint8_t)dev) < 0)
		return -1;
	mb.dev = dev;
	return 0;
}

static void device_stop(void)
{
	int dev = rte_cryptodev_get_dev_id(DEVICE);

	if (dev >= 0) {
		rte_cryptodev_stop((uint8_t)dev);
		rte_cryptodev_close((uint8_t)dev);
	}
	rte_mempool_free(mb.pool);
	mb.pool = NULL;
	mb.dev = -1;
	hmac_many_min = UINT_MAX;
}

void *hmac_session_create(const void *secret, size_t len)
{
	void *s;

	if (!mb.tried) {
		mb.tried = true;
		if (device_start() < 0) {
			log_info("hmac: no crypto device %s (librte-crypto-ipsec-mb); libcrypto "
				 "computes every digest",
				 DEVICE);
			device_stop();
		} else if ((s = session_new("measure", 7)) != NULL) {
			measure(s);
			hmac_session_free(s);
		}
	}
	return mb.dev < 0 ? NULL : session_new(secret, len);
}

void hmac_session_free(void *session)
{
	if (session != NULL)
		rte_cryptodev_sym_session_free((uint8_t)mb.dev, session);
}

void hmac_many_fini(void)
{
	device_stop();
	mb.tried = false;
}
