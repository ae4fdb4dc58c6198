/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/cfg.h"

#include <ctype.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lyd_node *among(const struct lyd_node *first, const char *name)
{
	for (; first != NULL; first = first->next)
		if (first->schema != NULL && strcmp(first->schema->name, name) == 0)
			return first;
	return NULL;
}

const struct lyd_node *cfg_child(const struct lyd_node *node, const char *name)
{
	return node == NULL ? NULL : among(lyd_child(node), name);
}

const struct lyd_node *cfg_next(const struct lyd_node *node)
{
	/* libyang keeps the instances of one list together */
	return node->next != NULL && node->next->schema == node->schema ? node->next : NULL;
}

const struct lyd_node *cfg_top(const struct lyd_node *tree, const char *name)
{
	return tree == NULL ? NULL : among(lyd_first_sibling(tree), name);
}

const char *cfg_str(const struct lyd_node *node, const char *name)
{
	const struct lyd_node *leaf = cfg_child(node, name);

	return leaf == NULL ? NULL : lyd_get_value(leaf);
}

uint32_t cfg_u32(const struct lyd_node *node, const char *name, uint32_t none)
{
	const char *text = cfg_str(node, name);

	return text == NULL ? none : (uint32_t)strtoul(text, NULL, 10);
}

bool cfg_bool(const struct lyd_node *node, const char *name, bool none)
{
	const char *text = cfg_str(node, name);

	return text == NULL ? none : strcmp(text, "true") == 0;
}

static int enum_value(const struct lyd_node *leaf)
{
	return ((const struct lyd_node_term *)leaf)->value.enum_item->value;
}

int cfg_enum(const struct lyd_node *node, const char *name, int none)
{
	const struct lyd_node *leaf = cfg_child(node, name);

	return leaf == NULL ? none : enum_value(leaf);
}

uint32_t cfg_enum_mask(const struct lyd_node *node, const char *name)
{
	uint32_t mask = 0;

	cfg_foreach(leaf, node, name) mask |= (uint32_t)enum_value(leaf);
	return mask;
}

uint8_t cfg_addr(const char *text, uint8_t addr[16])
{
	memset(addr, 0, 16);
	if (text == NULL)
		return 0;
	if (inet_pton(AF_INET, text, addr) == 1)
		return 4;
	return inet_pton(AF_INET6, text, addr) == 1 ? 6 : 0;
}

uint8_t cfg_prefix(const char *text, uint8_t addr[16], uint8_t *plen)
{
	char copy[64];
	const char *slash = text != NULL ? strchr(text, '/') : NULL;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(copy))
		return 0;
	memcpy(copy, text, (size_t)(slash - text));
	copy[slash - text] = '\0';
	uint8_t family = cfg_addr(copy, addr);
	char *end;
	unsigned long n = strtoul(slash + 1, &end, 10);
	if (family == 0 || end == slash + 1 || *end != '\0' || n > (family == 4 ? 32 : 128))
		return 0;
	*plen = (uint8_t)n;
	return family;
}

bool cfg_mac(const char *text, uint8_t mac[6])
{
	char more;

	return text != NULL && sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0],
				      &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &more) == 6;
}

size_t cfg_secret(const char *text, uint8_t *buf, size_t size)
{
	size_t n = strlen(text);

	if (n < 2 || text[0] != '0' || text[1] != 'x') {
		if (n > size)
			return 0;
		memcpy(buf, text, n);
		return n;
	}
	text += 2;
	n -= 2;
	if (n == 0 || n % 2 != 0 || n / 2 > size)
		return 0;
	for (size_t i = 0; i < n; i++) {
		char two[3] = { text[i & ~(size_t)1], text[i | 1], '\0' };
		if (!isxdigit((unsigned char)text[i]))
			return 0;
		buf[i / 2] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n / 2;
}
