/* SPDX-License-Identifier: BSD-3-Clause
 * Numbers for names: stable, dense, kept over restarts, and safe against damaged files. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/file.h"
#include "ctrl/ids.h"

static char path[64];

static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/heddle-ids-%d.json", getpid());
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(ids, .init = setup, .fini = teardown);

Test(ids, stable_and_dense)
{
	struct ids *ids = ids_create();

	cr_assert_eq(ids_get(ids, ID_VRF, "red"), 1);
	cr_assert_eq(ids_get(ids, ID_VRF, "blue"), 2);
	cr_assert_eq(ids_get(ids, ID_VRF, "red"), 1);
	cr_assert_eq(ids_get(ids, ID_INTERFACE, "red"), 1, "spaces are apart");
	cr_assert_str_eq(ids_name(ids, ID_VRF, 2), "blue");
	cr_assert_null(ids_name(ids, ID_VRF, 3));
	cr_assert_eq(ids_find(ids, ID_VRF, "green"), 0);
	ids_destroy(ids);
}

Test(ids, freed_only_by_pruning)
{
	struct ids *ids = ids_create();

	ids_get(ids, ID_VRF, "a");
	ids_get(ids, ID_VRF, "b");
	ids_unmark(ids);
	cr_assert_eq(ids_get(ids, ID_VRF, "b"), 2);
	cr_assert_eq(ids_used(ids, ID_VRF, "a"), 0);
	cr_assert_eq(ids_get(ids, ID_VRF, "c"), 3, "the number of 'a' is not free yet");
	ids_prune(ids);
	cr_assert_eq(ids_find(ids, ID_VRF, "a"), 0);
	cr_assert_eq(ids_get(ids, ID_VRF, "d"), 1);
	cr_assert_eq(ids_find(ids, ID_VRF, "c"), 3);
	ids_destroy(ids);
}

Test(ids, survive_a_restart)
{
	struct ids *a = ids_create(), *b = ids_create();
	char name[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "next \"hop\" %d", i);
		ids_get(a, ID_NEXTHOP, name);
	}
	cr_assert_eq(ids_save(a, path), 0);
	cr_assert_eq(ids_load(b, path), 0);
	for (int i = 999; i >= 0; i--) {
		snprintf(name, sizeof(name), "next \"hop\" %d", i);
		cr_assert_eq(ids_get(b, ID_NEXTHOP, name), ids_get(a, ID_NEXTHOP, name));
	}
	ids_destroy(a);
	ids_destroy(b);
}

/* Every truncation is refused or is a whole file, and leaves an allocator that works. */
Test(ids, truncated_file)
{
	struct ids *a = ids_create();
	char *text;
	size_t len;

	ids_get(a, ID_VRF, "red");
	ids_get(a, ID_SID, "fc00::1/128");
	cr_assert_eq(ids_save(a, path), 0);
	ids_destroy(a);
	cr_assert_eq(file_read(path, 1 << 20, &text, &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		struct ids *b = ids_create();
		cr_assert_eq(file_replace(path, text, cut), 0);
		cr_assert_eq(ids_load(b, path), -EINVAL, "%zu of %zu octets", cut, len);
		cr_assert_eq(ids_get(b, ID_VRF, "first"), 1);
		ids_destroy(b);
	}
	free(text);
}

Test(ids, damaged_content)
{
	static const char *const texts[] = {
		"[]",
		"3",
		"{\"vrf\": []}",
		"{\"vrf\": {\"a\": 0}}",
		"{\"vrf\": {\"a\": -1}}",
		"{\"vrf\": {\"a\": \"1\"}}",
		"{\"vrf\": {\"a\": 1, \"b\": 1}}",
		"{\"vrf\": {\"a\": 99999999999}}",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ids *ids = ids_create();
		cr_assert_eq(file_replace(path, texts[i], strlen(texts[i])), 0);
		cr_assert_eq(ids_load(ids, path), -EINVAL, "%s", texts[i]);
		cr_assert_eq(ids_find(ids, ID_VRF, "a"), 0);
		ids_destroy(ids);
	}
	struct ids *ids = ids_create();
	unlink(path);
	cr_assert_eq(ids_load(ids, path), -ENOENT);
	ids_destroy(ids);
}
