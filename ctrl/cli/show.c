/* SPDX-License-Identifier: BSD-3-Clause
 * heddle show: one function per thing, from the API's JSON to a table. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"

struct view {
	const char *name;
	const char *path; /* under /restconf/data */
	void (*print)(struct cli *cli, struct json_object *o, const struct view *v);
	/* options */
	bool dot;
	const char *vrf, *prefix;   /* routes: only these */
	struct json_object *before; /* earlier answer, to make rates; NULL: none */
	double seconds;             /* since then */
};

/* "a, b" of a leaf-list. */
static const char *joined(struct json_object *list, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	js_foreach(e, list) if (n < size) n += (size_t)snprintf(
		buf + n, size - n, "%s%s", n > 0 ? ", " : "", json_object_get_string(e));
	return buf;
}

/* The same element of the earlier answer, by a leaf. */
static struct json_object *earlier(const struct view *v, const char *list, const char *key,
				   const char *value)
{
	js_foreach(e, js_get(js_inner(v->before), list)) if (strcmp(js_str(e, key), value) ==
							     0) return e;
	return NULL;
}

static void cell_count(struct table *t, uint64_t n)
{
	table_cell(t, "%llu", (unsigned long long)n);
}

/* --- interfaces ------------------------------------------------------------------------------ */

static void rate_cells(struct table *t, const struct view *v, struct json_object *i,
		       struct json_object *was, const char *packets, const char *octets)
{
	char text[40];
	double dp = (double)(js_counter(i, packets, NULL) - js_counter(was, packets, NULL)) /
		    v->seconds;
	double db = (double)(js_counter(i, octets, NULL) - js_counter(was, octets, NULL)) * 8 /
		    v->seconds;

	table_cell(t, "%s", human(dp, "pps", text, sizeof(text)));
	table_cell(t, "%s", human(db, "bit/s", text, sizeof(text)));
}

/* Empty as long as nothing was: then there is no such column. */
static void lost_cell(struct table *t, struct json_object *i)
{
	table_cell(t, "%.0llu",
		   (unsigned long long)(js_counter(i, "rx-missed", NULL) +
					js_counter(i, "rx-no-buffer", NULL)));
}

static void print_interfaces(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const totals[] = { "INTERFACE",   "LINK",        "SPEED",
					      "VLAN",        "VRF",         ">MTU",
					      "ADDRESSES",   ">RX PACKETS", ">RX OCTETS",
					      ">TX PACKETS", ">TX OCTETS",  ">LOST BY DEVICE",
					      NULL };
	static const char *const rates[] = { "INTERFACE",   "LINK",        "SPEED",
					     "VLAN",        "VRF",         ">MTU",
					     "ADDRESSES",   ">RX PACKETS", ">RX BITS",
					     ">TX PACKETS", ">TX BITS",    ">LOST BY DEVICE",
					     NULL };
	struct table *t = table_new(v->before != NULL ? rates : totals);
	char text[400];

	js_foreach(i, js_get(o, "interface"))
	{
		bool up = strcmp(js_str(i, "enabled"), "true") == 0;
		uint64_t speed = js_u64(i, "speed-mbps"), outer = js_u64(i, "outer-vlan"),
			 inner = js_u64(i, "inner-vlan");
		table_cell(t, "%s", js_str(i, "name"));
		table_cell(t, "%s", up ? js_str(i, "link") : "disabled");
		table_cell(t, "%s",
			   speed == 0 ? "" :
					human((double)speed * 1e6, "bit/s", text, sizeof(text)));
		if (inner != 0)
			table_cell(t, "%llu.%llu", (unsigned long long)outer,
				   (unsigned long long)inner);
		else
			table_cell(t, "%.0llu", (unsigned long long)outer);
		table_cell(t, "%s", js_str(i, "vrf"));
		table_cell(t, "%s", js_str(i, "mtu"));
		table_cell(t, "%s", joined(js_get(i, "address"), text, sizeof(text)));
		if (v->before != NULL) {
			struct json_object *was =
				earlier(v, "interface", "name", js_str(i, "name"));
			rate_cells(t, v, i, was, "rx-packets", "rx-octets");
			rate_cells(t, v, i, was, "tx-packets", "tx-octets");
			lost_cell(t, i);
			continue;
		}
		cell_count(t, js_counter(i, "rx-packets", NULL));
		cell_count(t, js_counter(i, "rx-octets", NULL));
		cell_count(t, js_counter(i, "tx-packets", NULL));
		cell_count(t, js_counter(i, "tx-octets", NULL));
		lost_cell(t, i);
	}
	table_print(cli, t);
}

/* --- neighbours, routes ---------------------------------------------------------------------- */

static void print_neighbours(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "INTERFACE", "ADDRESS", "MAC", "STATE",
					     ">AGE",      ">HELD",   NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(n, js_get(o, "neighbour"))
	{
		bool fixed = strcmp(js_str(n, "state"), "static") == 0;
		table_cell(t, "%s", js_str(n, "interface"));
		table_cell(t, "%s", js_str(n, "address"));
		table_cell(t, "%s", js_str(n, "mac"));
		table_cell(t, "%s", js_str(n, "state"));
		table_cell(t, "%s%s", fixed ? "" : js_str(n, "age"), fixed ? "" : " s");
		table_cell(t, "%.0llu", (unsigned long long)js_u64(n, "packets-held"));
	}
	table_print(cli, t);
}

/* "10.0.0.0/8", "2001:db8::1": octets and bits; a whole address without a length.  Returns the family, 0: neither. */
static int parse_prefix(const char *text, uint8_t addr[16], unsigned *ret_bits)
{
	char copy[60], *slash, *end;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	int family = strchr(copy, ':') != NULL ? 6 : 4;
	unsigned whole = family == 6 ? 128 : 32;
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, copy, addr) != 1)
		return 0;
	*ret_bits = slash != NULL ? (unsigned)strtoul(slash, &end, 10) : whole;
	return (slash != NULL && (end == slash || *end != '\0')) || *ret_bits > whole ? 0 : family;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned octets = bits / 8, rest = bits % 8;

	return memcmp(a, b, octets) == 0 &&
	       (rest == 0 || (a[octets] ^ b[octets]) >> (8 - rest) == 0);
}

/* Is a route asked for?  Of the VRF; and of an address those that hold it, of a prefix those inside it. */
static bool route_wanted(struct json_object *r, const struct view *v)
{
	uint8_t have[16], want[16];
	unsigned have_bits, want_bits;

	if (v->vrf != NULL && strcmp(v->vrf, js_str(r, "vrf")) != 0)
		return false;
	if (v->prefix == NULL)
		return true;
	int family = parse_prefix(v->prefix, want, &want_bits);
	if (parse_prefix(js_str(r, "prefix"), have, &have_bits) != family)
		return false;
	if (strchr(v->prefix, '/') == NULL)
		return same_bits(have, want, have_bits);
	return have_bits >= want_bits && same_bits(have, want, want_bits);
}

static void keep_routes(struct json_object *o, const struct view *v)
{
	struct json_object *kept = json_object_new_array();

	if (o == NULL)
		return;
	js_foreach(r, js_get(o, "route")) if (route_wanted(r, v))
		json_object_array_add(kept, json_object_get(r));
	json_object_object_add(o, "route", kept);
}

static void print_routes(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "VRF", "PREFIX", "KIND", "SOURCE", "TARGET", NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(r, js_get(o, "route"))
	{
		table_cell(t, "%s", js_str(r, "vrf"));
		table_cell(t, "%s", js_str(r, "prefix"));
		table_cell(t, "%s", js_str(r, "kind"));
		table_cell(t, "%s", js_str(r, "source"));
		table_cell(t, "%s", js_str(r, "target"));
	}
	table_print(cli, t);
}

/* --- the kernel ------------------------------------------------------------------------------ */

static bool is_true(const char *text)
{
	return strcmp(text, "true") == 0;
}

static void print_kernel(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "NETDEV", "INTERFACE", "TWIN", "KERNEL FORWARDS",
					     NULL };
	struct table *t;

	(void)v;
	if (!is_true(js_str(o, "enabled"))) {
		printf("the kernel is not mirrored (kernel/enabled)\n");
		return;
	}
	if (js_str(o, "problem")[0] != '\0')
		printf("%s\n", js_str(o, "problem"));
	printf("%s prefixes, %s routes, %s refused; %s\n%s messages, %s overruns; %s objects set, %s deleted\n\n",
	       js_str(o, "prefixes"), js_str(o, "routes"), js_str(o, "refused"),
	       !is_true(js_str(o, "complete")) ? "the kernel is being read" :
	       is_true(js_str(o, "carried"))   ? "all is carried" :
						 "being carried",
	       js_str(o, "messages"), js_str(o, "overruns"), js_str(o, "objects-set"),
	       js_str(o, "objects-deleted"));
	t = table_new(heads);
	js_foreach(l, js_get(o, "link"))
	{
		bool v4 = is_true(js_str(l, "kernel-forwards-ipv4")),
		     v6 = is_true(js_str(l, "kernel-forwards-ipv6"));
		table_cell(t, "%s", js_str(l, "netdev"));
		table_cell(t, "%s", js_str(l, "interface"));
		table_cell(t, "%s", is_true(js_str(l, "twin")) ? "yes" : "");
		table_cell(t, "%s", v4 && v6 ? "ipv4 ipv6" : v4 ? "ipv4" : v6 ? "ipv6" : "");
	}
	table_print(cli, t);
}

static void print_kernel_routes(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { ">TABLE",  "PREFIX", "PROTOCOL", "TYPE",
					     ">METRIC", "STATE",  "REASON",   NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(r, js_get(o, "route"))
	{
		bool refused = js_str(r, "reason")[0] != '\0';
		table_cell(t, "%s", js_str(r, "table"));
		table_cell(t, "%s", js_str(r, "prefix"));
		table_cell(t, "%s", js_str(r, "protocol"));
		table_cell(t, "%s", js_str(r, "type"));
		table_cell(t, "%s", js_str(r, "metric"));
		table_cell(t, "%s%s%s", js_str(r, "state"), refused ? ", packets " : "",
			   js_str(r, "packets"));
		table_cell(t, "%s", js_str(r, "reason"));
	}
	table_print(cli, t);
}

static void print_kernel_neighbours(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = {
		"INTERFACE", "ADDRESS", "MAC", "STATE", "CARRIED", NULL
	};
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(n, js_get(o, "neighbour"))
	{
		table_cell(t, "%s", js_str(n, "interface"));
		table_cell(t, "%s", js_str(n, "address"));
		table_cell(t, "%s", js_str(n, "mac"));
		table_cell(t, "%s", js_str(n, "state"));
		table_cell(t, "%s", is_true(js_str(n, "carried")) ? "yes" : "");
	}
	table_print(cli, t);
}

/* --- SRv6 ------------------------------------------------------------------------------------ */

/* "hop-limit 3, bad-list 1": why an object dropped how many packets. */
static const char *drops_text(struct json_object *o, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	js_foreach(d, js_get(o, "dropped")) if (n < size)
		n += (size_t)snprintf(buf + n, size - n, "%s%s %s", n > 0 ? ", " : "",
				      js_str(d, "reason"), js_str(d, "packets"));
	return buf;
}

static void print_sids(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "SID",         "NAME",     "BEHAVIOR", "FLAVORS",
					     "TARGET",      ">PACKETS", ">OCTETS",  ">ERRORS",
					     "DROPPED FOR", NULL };
	struct table *t = table_new(heads);
	char text[300];

	(void)v;
	js_foreach(s, js_get(o, "sid"))
	{
		table_cell(t, "%s", js_str(s, "sid"));
		table_cell(t, "%s", js_str(s, "name"));
		table_cell(t, "%s", js_str(s, "behavior"));
		table_cell(t, "%s", joined(js_get(s, "flavor"), text, sizeof(text)));
		table_cell(t, "%s", js_str(s, "target"));
		cell_count(t, js_counter(s, "packets", NULL));
		cell_count(t, js_counter(s, "octets", NULL));
		cell_count(t, js_counter(s, "errors", NULL));
		table_cell(t, "%s", drops_text(s, text, sizeof(text)));
	}
	table_print(cli, t);
}

static void print_bridges(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "BRIDGE", "MAC", "MEMBER", "KIND", ">AGE", NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(m, js_get(o, "mac"))
	{
		table_cell(t, "%s", js_str(m, "bridge"));
		table_cell(t, "%s", js_str(m, "mac"));
		table_cell(t, "%s", js_str(m, "member"));
		table_cell(t, "%s", js_str(m, "static")[0] == 't' ? "static" : "learned");
		table_cell(t, "%s", js_str(m, "age"));
	}
	table_print(cli, t);
}

static void print_oam(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { ">NUMBER", "TIME",   "INTERFACE", "SID",
					     ">OCTETS", "PACKET", NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(c, js_get(o, "copy"))
	{
		table_cell(t, "%s", js_str(c, "number"));
		table_cell(t, "%s", js_str(c, "time"));
		table_cell(t, "%s", js_str(c, "interface"));
		table_cell(t, "%s", js_str(c, "sid"));
		table_cell(t, "%s", js_str(c, "length"));
		table_cell(t, "%s", js_str(c, "summary"));
	}
	table_print(cli, t);
}

static void print_capabilities(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { ">CODEPOINT", "BEHAVIOR", "FLAVORS", NULL };
	struct table *t = table_new(heads);
	char text[100];

	(void)v;
	js_foreach(b, js_get(o, "behavior"))
	{
		table_cell(t, "%s", js_str(b, "codepoint"));
		table_cell(t, "%s", js_str(b, "name"));
		table_cell(t, "%s", joined(js_get(b, "flavor"), text, sizeof(text)));
	}
	table_print(cli, t);
}

/* The lists of one path, a row each. */
static void policy_lists(struct table *t, struct json_object *path)
{
	bool active = strcmp(js_str(path, "active"), "true") == 0;
	struct json_object *lists = js_get(path, "segment-list");
	const char *reason = js_str(path, "reason");
	char text[300];

	for (int i = 0; i < 3; i++)
		table_cell(t, "%s", "");
	table_cell(t, "%s", js_str(path, "name"));
	table_cell(t, "%s", js_str(path, "preference"));
	table_cell(t, "%s",
		   active                          ? "active" :
		   js_str(path, "valid")[0] == 't' ? "valid" :
						     "invalid");
	for (int i = 0; i < 2; i++)
		table_cell(t, "%s", "");
	table_cell(t, "%s", active ? "" : reason);
	for (int i = 0; i < 4; i++)
		table_cell(t, "%s", "");
	js_foreach(l, lists)
	{
		bool valid = js_str(l, "valid")[0] == 't';
		for (int i = 0; i < 5; i++)
			table_cell(t, "%s", "");
		table_cell(t, "%s", valid ? "" : "invalid");
		table_cell(t, "%s", js_str(l, "name"));
		table_cell(t, "%s", js_str(l, "weight"));
		table_cell(t, "%s", valid ? js_str(l, "segments") : js_str(l, "reason"));
		cell_count(t, js_counter(l, "packets", NULL));
		cell_count(t, js_counter(l, "octets", NULL));
		table_cell(t, "%s", "");
		table_cell(t, "%s", drops_text(l, text, sizeof(text)));
	}
}

static void print_policies(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "POLICY",      "COLOR",    "ENDPOINT", "PATH",
					     ">PREF",       "STATE",    "LIST",     ">WEIGHT",
					     "SEGMENTS",    ">PACKETS", ">OCTETS",  ">ERRORS",
					     "DROPPED FOR", NULL };
	struct table *t = table_new(heads);
	char text[300];

	(void)v;
	js_foreach(p, js_get(o, "policy"))
	{
		bool valid = js_str(p, "valid")[0] == 't', drop = js_str(p, "drop")[0] == 't';
		table_cell(t, "%s", js_str(p, "name"));
		table_cell(t, "%s", js_str(p, "color"));
		table_cell(t, "%s", js_str(p, "endpoint"));
		table_cell(t, "%s", js_str(p, "encapsulation"));
		table_cell(t, "%s", "");
		table_cell(t, "%s", valid ? "valid" : drop ? "drops" : "invalid");
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
		const char *alert = js_str(p, "binding-sid-alert");
		table_cell(t, "%s%s%s%s", js_str(p, "binding-sid")[0] != '\0' ? "binding SID " : "",
			   js_str(p, "binding-sid"), alert[0] != '\0' ? " ! " : "", alert);
		cell_count(t, js_counter(p, "packets", NULL));
		cell_count(t, js_counter(p, "octets", NULL));
		cell_count(t, js_counter(p, "errors", NULL));
		table_cell(t, "%s", drops_text(p, text, sizeof(text)));
		js_foreach(path, js_get(p, "candidate-path")) policy_lists(t, path);
	}
	table_print(cli, t);
}

static void print_classifiers(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "CLASSIFIER", ">RULE",    "FAMILY",  "MATCH",
					     "ACTION",     ">PACKETS", ">OCTETS", NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(c, js_get(o, "classifier"))
	{
		table_cell(t, "%s", js_str(c, "name"));
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
		table_cell(t, "%llu rules in force%s",
			   (unsigned long long)js_counter(c, "rules", NULL),
			   js_counter(c, "pending", NULL) != 0 ? ", a change is being compiled" :
								 "");
		table_cell(t, "%s",
			   js_counter(c, "failures", NULL) != 0 ? "not compiled once; see the log" :
								  "");
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
		js_foreach(r, js_get(c, "rule"))
		{
			table_cell(t, "%s", "");
			table_cell(t, "%s", js_str(r, "number"));
			table_cell(t, "%s", js_str(r, "family"));
			table_cell(t, "%s", js_str(r, "match"));
			table_cell(t, "%s", js_str(r, "action"));
			cell_count(t, js_counter(r, "packets", NULL));
			cell_count(t, js_counter(r, "octets", NULL));
		}
	}
	table_print(cli, t);
}

static void print_reflector(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "SESSION",  ">SSID",   "SENDER",   "COUNTS",
					     ">PACKETS", ">OCTETS", ">REFUSED", NULL };
	struct table *t = table_new(heads);

	(void)v;
	js_foreach(s, js_get(o, "session"))
	{
		bool stateful = strcmp(js_str(s, "stateful"), "true") == 0;

		table_cell(t, "%s", js_str(s, "name"));
		table_cell(t, "%s", js_str(s, "ssid"));
		table_cell(t, "%s", js_str(s, "source-address"));
		table_cell(t, "%s", stateful ? "replies" : "");
		cell_count(t, js_counter(s, "packets", NULL));
		cell_count(t, js_counter(s, "octets", NULL));
		cell_count(t, js_counter(s, "refused", NULL));
	}
	table_print(cli, t);
}

static void print_steering(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "PORT",    "MATCH",   "TO", ">PACKETS",
					     ">OCTETS", ">KERNEL", NULL };
	struct table *t = table_new(heads);
	struct json_object *ports = js_get(o, "port"), *rest = js_get(o, "unmatched");

	(void)v;
	if (ports == NULL || json_object_array_length(ports) == 0)
		printf("no port steers (xdp-steering)\n");
	js_foreach(p, ports)
	{
		if (strcmp(js_str(p, "state"), "refused") == 0)
			printf("%s: AF_XDP was refused, it runs on af_packet: the kernel sees its packets "
			       "too\n",
			       js_str(p, "interface"));
	}
	js_foreach(r, js_get(o, "rule"))
	{
		table_cell(t, "%s", js_str(r, "interface"));
		table_cell(t, "%s", js_str(r, "match"));
		table_cell(t, "%s", js_str(r, "action"));
		cell_count(t, js_counter(r, "packets", NULL));
		cell_count(t, js_counter(r, "octets", NULL));
		cell_count(t, js_counter(r, "to-kernel", NULL));
	}
	if (ports != NULL && json_object_array_length(ports) > 0) {
		table_cell(t, "%s", "");
		table_cell(t, "%s", "anything else");
		table_cell(t, "%s", "kernel");
		cell_count(t, 0);
		cell_count(t, 0);
		cell_count(t, js_counter(rest, "to-kernel", NULL));
	}
	table_print(cli, t);
}

/* --- drops, workers, graph ------------------------------------------------------------------- */

static void print_drops(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { ">PACKETS", "NODE",    "REASON",
					     "SEVERITY", "MEANING", NULL };
	static const char *const punt_heads[] = { ">PACKETS",         ">POLICED", ">RING FULL",
						  "TO THE SLOW PATH", "MEANING",  NULL };
	struct json_object *drops = js_get(o, "drop");
	struct table *t = table_new(heads);

	(void)v;
	if (drops == NULL || json_object_array_length(drops) == 0)
		printf("nothing was dropped\n");
	js_foreach(d, drops)
	{
		cell_count(t, js_u64(d, "packets"));
		table_cell(t, "%s", js_str(d, "node"));
		table_cell(t, "%s", js_str(d, "reason"));
		table_cell(t, "%s", js_str(d, "severity"));
		table_cell(t, "%s", js_str(d, "help"));
	}
	table_print(cli, t);
	bool any = false;
	js_foreach(d, drops)
	{
		struct json_object *p = js_get(d, "last-packet");
		if (p == NULL)
			continue;
		if (!any)
			printf("\n%sLAST PACKET OF EACH%s\n", paint(cli, "1"), paint(cli, "0"));
		any = true;
		printf("%s %s: %.15s %s%s %s; found %s\n", js_str(d, "node"), js_str(d, "reason"),
		       strlen(js_str(p, "time")) > 11 ? js_str(p, "time") + 11 : "",
		       js_str(p, "interface"), js_str(p, "interface")[0] != '\0' ? ":" : "",
		       js_str(p, "summary"), js_str(p, "object"));
		if (js_str(p, "interface")[0] != '\0')
			printf("  %sheddle explain --drop %s/%s%s\n", paint(cli, "2"),
			       js_str(d, "node"), js_str(d, "reason"), paint(cli, "0"));
	}
	struct table *punts = table_new(punt_heads);
	bool punted = false;
	js_foreach(p, js_get(o, "punt"))
	{
		uint64_t passed = js_counter(p, "packets", NULL),
			 policed = js_counter(p, "policed", NULL),
			 full = js_counter(p, "ring-full", NULL);
		if (passed + policed + full == 0)
			continue;
		punted = true;
		cell_count(punts, passed);
		cell_count(punts, policed);
		cell_count(punts, full);
		table_cell(punts, "%s", js_str(p, "reason"));
		table_cell(punts, "%s", js_str(p, "help"));
	}
	if (punted)
		printf("\n");
	table_print(cli, punts);
}

static void print_workers(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "WORKER", ">LCORE", ">CPU",   "STATE",
					     ">LOOPS", ">IDLE",  "QUEUES", NULL };
	struct table *t = table_new(heads);
	char text[400];

	js_foreach(w, js_get(o, "worker"))
	{
		struct json_object *was =
			v->before != NULL ? earlier(v, "worker", "id", js_str(w, "id")) : NULL;
		uint64_t loops = js_counter(w, "loops", NULL) - js_counter(was, "loops", NULL);
		uint64_t idle =
			js_counter(w, "idle-loops", NULL) - js_counter(was, "idle-loops", NULL);
		table_cell(t, "%s", js_str(w, "id"));
		table_cell(t, "%s", js_str(w, "lcore"));
		table_cell(t, "%s", js_str(w, "cpu"));
		table_cell(t, "%s", js_str(w, "state"));
		table_cell(t, "%s", human((double)loops, "", text, sizeof(text)));
		table_cell(t, "%.1f %%", loops == 0 ? 0.0 : (double)idle * 100 / (double)loops);
		table_cell(t, "%s", joined(js_get(w, "queue"), text, sizeof(text)));
	}
	table_print(cli, t);
}

static void print_dot(struct json_object *o)
{
	printf("digraph heddle {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n");
	js_foreach(n, js_get(o, "node"))
	{
		const char *name = js_str(n, "name");
		printf("\t\"%s\" [label=\"%s\\n%s packets\"%s];\n", name, name,
		       js_str(n, "packets"), js_u64(n, "packets") > 0 ? ", style=bold" : "");
		js_foreach(e, js_get(n, "next"))
			printf("\t\"%s\" -> \"%s\";\n", name, json_object_get_string(e));
	}
	printf("}\n");
}

static void print_graph(struct cli *cli, struct json_object *o, const struct view *v)
{
	static const char *const heads[] = { "NODE",          ">CALLS",
					     ">PACKETS",      ">BY EXPRESS",
					     ">PACKETS/CALL", ">CYCLES/PACKET",
					     "LEADS TO",      NULL };
	char text[1000];

	if (v->dot) {
		print_dot(o);
		return;
	}
	struct table *t = table_new(heads);
	js_foreach(n, js_get(o, "node"))
	{
		struct json_object *was =
			v->before != NULL ? earlier(v, "node", "name", js_str(n, "name")) : NULL;
		double calls = (double)(js_u64(n, "calls") - js_u64(was, "calls"));
		double packets = (double)(js_u64(n, "packets") - js_u64(was, "packets"));
		uint64_t express =
			js_u64(n, "packets-elsewhere") - js_u64(was, "packets-elsewhere");
		double cycles = (double)(js_u64(n, "cycles") - js_u64(was, "cycles"));
		table_cell(t, "%s", js_str(n, "name"));
		table_cell(t, "%s", human(calls, "", text, sizeof(text)));
		table_cell(t, "%.0f", packets);
		table_cell(t, "%.0llu", (unsigned long long)express);
		packets -= (double)express; /* calls and cycles are those of the rest */
		if (calls > 0 && packets > 0)
			table_cell(t, "%.1f", packets / calls);
		else
			table_cell(t, "%s", "-");
		if (packets > 0)
			table_cell(t, "%.0f", cycles / packets);
		else
			table_cell(t, "%s", "-");
		table_cell(t, "%s", joined(js_get(n, "next"), text, sizeof(text)));
	}
	table_print(cli, t);
}

/* --- version --------------------------------------------------------------------------------- */

static void print_version(struct cli *cli, struct json_object *o, const struct view *v)
{
	struct json_object *c = js_get(o, "configuration"), *d = js_get(o, "dataplane");
	bool up = strcmp(js_str(d, "connected"), "true") == 0;

	(void)cli;
	(void)v;
	if (js_str(o, "hostname")[0] != '\0')
		printf("host           %s\n", js_str(o, "hostname"));
	printf("heddle         %s\n", HEDDLE_VERSION);
	printf("heddle-ctrl    %s, table API %s, up %s s\n", js_str(o, "version"),
	       js_str(o, "api-version"), js_str(o, "uptime"));
	if (up)
		printf("heddle-dp      %s, pid %s, %s worker%s\n", js_str(d, "software"),
		       js_str(d, "pid"), js_str(d, "workers"),
		       js_u64(d, "workers") == 1 ? "" : "s");
	else
		printf("heddle-dp      not connected: %s\n", js_str(d, "last-error"));
	printf("configuration  revision %s%s%s, %s objects, %s\n", js_str(c, "revision"),
	       js_str(c, "source")[0] != '\0' ? " from " : "", js_str(c, "source"),
	       js_str(c, "objects"),
	       strcmp(js_str(d, "synchronised"), "true") == 0 ? "in force" :
	       up                                             ? js_str(d, "last-error") :
								"waiting for the data plane");
}

static void print_config(struct cli *cli, struct json_object *o, const struct view *v)
{
	(void)cli;
	(void)v;
	js_print_yaml(stdout, o);
}

static const struct view views[] = {
	{ .name = "interfaces",
	  .path = "heddle-interfaces:interface-state",
	  .print = print_interfaces },
	{ .name = "neighbours", .path = "heddle-ip:neighbour-state", .print = print_neighbours },
	{ .name = "routes", .path = "heddle-ip:route-state", .print = print_routes },
	{ .name = "kernel", .path = "heddle-kernel:kernel-state", .print = print_kernel },
	{ .name = "kernel routes",
	  .path = "heddle-kernel:kernel-routes",
	  .print = print_kernel_routes },
	{ .name = "kernel neighbours",
	  .path = "heddle-kernel:kernel-neighbours",
	  .print = print_kernel_neighbours },
	{ .name = "kernel refused",
	  .path = "heddle-kernel:kernel-refused",
	  .print = print_kernel_routes },
	{ .name = "sids", .path = "heddle-srv6:sid-state", .print = print_sids },
	{ .name = "policies", .path = "heddle-srv6:policy-state", .print = print_policies },
	{ .name = "bridges", .path = "heddle-bridge:bridge-state", .print = print_bridges },
	{ .name = "oam", .path = "heddle-srv6:oam-state", .print = print_oam },
	{ .name = "capabilities",
	  .path = "heddle-srv6:capability-state",
	  .print = print_capabilities },
	{ .name = "reflector", .path = "heddle-pm:reflector-state", .print = print_reflector },
	{ .name = "classifiers",
	  .path = "heddle-srv6:classifier-state",
	  .print = print_classifiers },
	{ .name = "steering", .path = "heddle-interfaces:steering-state", .print = print_steering },
	{ .name = "drops", .path = "heddle-system:drop-state", .print = print_drops },
	{ .name = "workers", .path = "heddle-system:worker-state", .print = print_workers },
	{ .name = "graph", .path = "heddle-system:graph-state", .print = print_graph },
	{ .name = "version", .path = "heddle-system:system-state", .print = print_version },
	{ .name = "config", .path = "?content=config", .print = print_config },
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void sleep_for(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds,
			       .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

	if (!cli_interrupted)
		nanosleep(&ts, NULL);
}

/* Ask, then print.  With `every` again and again, the answers before making rates. */
static int show(struct cli *cli, struct view *v, double every, bool rates)
{
	struct json_object *answer = NULL;
	double asked_before = 0;
	int rc = 0;

	do {
		rc = api_get(cli, v->path, &answer);
		double asked = now();
		if (rc != 0)
			break;
		if (v->vrf != NULL || v->prefix != NULL)
			keep_routes(js_inner(answer), v);
		v->seconds = asked - asked_before;
		bool silent = rates && v->before == NULL &&
			      !cli->json; /* the first answer only starts the clock */
		if (!silent && every > 0 && cli->color)
			printf("\033[H\033[2J%sheddle show %s%s  every %g s, Ctrl-C ends\n\n",
			       paint(cli, "1"), v->name, paint(cli, "0"), every);
		if (cli->json)
			js_print(answer);
		else if (!silent)
			v->print(cli, v->print != print_config ? js_inner(answer) : answer, v);
		fflush(stdout);
		json_object_put(v->before);
		v->before = rates ? answer : NULL;
		if (!rates)
			json_object_put(answer);
		asked_before = asked;
		if (!silent && every == 0)
			break;
		if (!silent && !cli->color && !cli->json)
			printf("\n");
		sleep_for(every > 0 ? every : 1);
	} while (!cli_interrupted);
	json_object_put(v->before);
	return rc;
}

static int cmd_show(struct cli *cli)
{
	const char *watch = opt_value(cli, "--watch");
	double every = watch == NULL ? 0 : watch[0] != '\0' ? strtod(watch, NULL) : 1;
	size_t i = 0;

	while (strcmp(cli->cmd->name + strlen("show "), views[i].name) != 0)
		i++;
	struct view v = views[i];
	bool rated = v.print == print_interfaces || v.print == print_workers ||
		     v.print == print_graph;
	v.dot = v.print == print_graph && opt_flag(cli, "--dot");
	if (v.print == print_routes) {
		uint8_t addr[16];
		unsigned bits;
		v.vrf = opt_value(cli, "--vrf");
		v.prefix = cli->argc > 0 ? cli->argv[0] : NULL;
		if (v.prefix != NULL && parse_prefix(v.prefix, addr, &bits) == 0)
			return cli_fail(cli, EXIT_USAGE, "'%s' is no address and no prefix",
					v.prefix);
	}
	if (v.dot)
		every = 0;
	return show(cli, &v, every, rated && (every > 0 || opt_flag(cli, "--rates")));
}

#define WATCH                                                                                \
	{                                                                                    \
		"--watch", "[SECONDS]", CLI_SECONDS,                                         \
			"again and again, until Ctrl-C; with rates where there are any  [1]" \
	}
#define RATES                                                                               \
	{                                                                                   \
		"--rates", NULL, CLI_TEXT, "what happened in one second, instead of totals" \
	}

static const struct cli_command commands[] = {
	{ .name = "show interfaces",
	  .run = cmd_show,
	  .what = "interfaces: link, addresses, packets and octets",
	  .params = CLI_PARAMS(WATCH, RATES),
	  .examples = CLI_EXAMPLES("heddle show interfaces --watch",
				   "heddle show interfaces --rates") },
	{ .name = "show neighbours",
	  .run = cmd_show,
	  .what = "ARP and ND: addresses, MACs and their state",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show neighbours") },
	{ .name = "show routes",
	  .run = cmd_show,
	  .what = "routes of each VRF and where they lead",
	  .params = CLI_PARAMS({ "[PREFIX]", NULL, CLI_TEXT,
				 "those inside it; of an address: those that hold it  [all]" },
			       WATCH, { "--vrf", "VRF", CLI_VRF, "of this VRF only" }),
	  .examples = CLI_EXAMPLES("heddle show routes 10.0.2.2",
				   "heddle show routes 2001:db8::/32 --vrf default") },
	{ .name = "show kernel",
	  .run = cmd_show,
	  .what = "the mirror of the kernel: how far it is, and its devices",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show kernel") },
	{ .name = "show kernel routes",
	  .run = cmd_show,
	  .what = "routes of the kernel's mirrored tables, and what became of each",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show kernel routes") },
	{ .name = "show kernel neighbours",
	  .run = cmd_show,
	  .what = "the kernel's neighbours on mirrored interfaces",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show kernel neighbours") },
	{ .name = "show kernel refused",
	  .run = cmd_show,
	  .what = "routes of the kernel that cannot be carried, and why",
	  .params = CLI_PARAMS(WATCH),
	  .examples =
		  CLI_EXAMPLES("heddle show kernel refused", "heddle show kernel refused --json") },
	{ .name = "show sids",
	  .run = cmd_show,
	  .what = "local SIDs: behavior, flavors, packets and errors",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show sids") },
	{ .name = "show policies",
	  .run = cmd_show,
	  .what = "SR policies: candidate paths, which one is active, segment lists and packets",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show policies") },
	{ .name = "show bridges",
	  .run = cmd_show,
	  .what = "bridge domains: MAC addresses, the member behind which each is, their age",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show bridges") },
	{ .name = "show oam",
	  .run = cmd_show,
	  .what = "time-stamped copies of SRv6 packets with the O-flag (RFC 9259)",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show oam", "heddle show oam --json") },
	{ .name = "show capabilities",
	  .run = cmd_show,
	  .what = "SRv6 behaviors and flavors that the data plane carries",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show capabilities") },
	{ .name = "show reflector",
	  .run = cmd_show,
	  .what = "STAMP sessions that the Session-Reflector expects, and what it answered",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show reflector") },
	{ .name = "show classifiers",
	  .run = cmd_show,
	  .what = "classifiers: rules and what they matched",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show classifiers") },
	{ .name = "show steering",
	  .run = cmd_show,
	  .what = "XDP steering: which frames of a shared device are Heddle's, and how many there were",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show steering") },
	{ .name = "show drops",
	  .run = cmd_show,
	  .what = "why packets were dropped, and the last one of each reason",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show drops", "heddle show drops --watch 2") },
	{ .name = "show workers",
	  .run = cmd_show,
	  .what = "workers: their core, state, load and receive queues",
	  .params = CLI_PARAMS(WATCH, RATES),
	  .examples = CLI_EXAMPLES("heddle show workers --watch") },
	{ .name = "show graph",
	  .run = cmd_show,
	  .what = "nodes: packets, packets per call, cycles per packet, where they lead",
	  .params = CLI_PARAMS(WATCH, RATES, { "--dot", NULL, CLI_TEXT, "a picture for graphviz" }),
	  .examples = CLI_EXAMPLES("heddle show graph",
				   "heddle show graph --dot | dot -Tsvg > graph.svg") },
	{ .name = "show config",
	  .run = cmd_show,
	  .what = "the running configuration",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show config") },
	{ .name = "show version",
	  .run = cmd_show,
	  .what = "versions of the programs, and whether the configuration is in force",
	  .params = CLI_PARAMS(WATCH),
	  .examples = CLI_EXAMPLES("heddle show version") },
	{ .name = NULL },
};

const struct cli_group show_group = { "What there is", commands };
