/* SPDX-License-Identifier: BSD-3-Clause
 * heddle explain: the packet from wherever it stands, the question, and the answer as a story. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/explain_pcap.h"

#define PACKET_MAX 9800u
#define TEXT_MAX   65000u

/* ---- the question -------------------------------------------------------------------------------------------- */

static void add_octets(struct json_object *in, const uint8_t *p, size_t len)
{
	char *hex = malloc(2 * len + 1);

	if (hex == NULL)
		abort();
	hex[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	js_add(in, "hex", hex);
	free(hex);
}

static int from_hex(struct cli *cli, struct json_object *in, const char *hex)
{
	static char text[TEXT_MAX + 1];
	size_t n;

	if (strcmp(hex, "-") != 0) {
		js_add(in, "hex", hex);
		return 0;
	}
	n = fread(text, 1, TEXT_MAX, stdin);
	if (n == 0 || n == TEXT_MAX)
		return cli_fail(cli, EXIT_USAGE, "standard input has %s",
				n == 0 ? "no packet" : "more than one packet's text");
	text[n] = '\0';
	js_add(in, "hex", text);
	return 0;
}

static int from_pcap(struct cli *cli, struct json_object *in, const char *path)
{
	static uint8_t packet[PACKET_MAX];
	FILE *f = fopen(path, "rb");
	char why[300] = "";
	int rc;

	if (f == NULL)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno));
	rc = explain_pcap_frame(f, opt_number(cli, "--frame", 1), packet, sizeof(packet), why,
				sizeof(why));
	if (rc <= 0)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path,
				rc == 0 ? "the frame is empty" : why);
	add_octets(in, packet, (size_t)rc);
	return 0;
}

/* The octets that were kept of a dropped packet; what is missing at its end becomes zeros. */
static int from_sample(struct cli *cli, struct json_object *in, struct json_object *p)
{
	static uint8_t packet[PACKET_MAX];
	const char *hex = js_str(p, "head");
	size_t n = 0, length = js_u64(p, "length");

	for (; hex[0] != '\0' && n < PACKET_MAX; hex += hex[2] == ':' ? 3 : 2) {
		char octet[3] = { hex[0], hex[1], '\0' };
		packet[n++] = (uint8_t)strtoul(octet, NULL, 16);
	}
	if (length > PACKET_MAX)
		length = PACKET_MAX;
	if (length > n && !cli->json)
		printf("only the first %zu of %zu octets were kept; the rest is taken as zeros\n",
		       n, length);
	add_octets(in, packet, length > n ? length : n);
	if (opt_value(cli, "--interface") == NULL)
		js_add(in, "interface", js_str(p, "interface"));
	return 0;
}

static int from_drop(struct cli *cli, struct json_object *in, const char *what)
{
	struct json_object *answer = NULL;
	const char *slash = strchr(what, '/');
	size_t node_len = slash != NULL ? (size_t)(slash - what) : 0;
	int rc = api_get(cli, "heddle-system:drop-state", &answer);

	if (rc != 0)
		return rc;
	rc = -1;
	js_foreach(d, js_get(js_inner(answer), "drop"))
	{
		const char *node = js_str(d, "node");
		struct json_object *p = js_get(d, "last-packet");

		if (slash != NULL && p != NULL && strlen(node) == node_len &&
		    strncmp(node, what, node_len) == 0 &&
		    strcmp(js_str(d, "reason"), slash + 1) == 0)
			rc = from_sample(cli, in, p);
	}
	json_object_put(answer);
	return rc >= 0 ? rc :
			 cli_fail(cli, EXIT_ERROR,
				  "no packet was dropped for '%s'; see: heddle show drops", what);
}

static int add_sids(struct cli *cli, struct json_object *in, const char *sids)
{
	struct json_object *list = json_object_new_array();
	char copy[1024], *save = NULL;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", sids) >= sizeof(copy)) {
		json_object_put(list);
		return cli_fail(cli, EXIT_USAGE, "--sids: more than 16 SIDs");
	}
	for (char *s = strtok_r(copy, ", ", &save); s != NULL; s = strtok_r(NULL, ", ", &save))
		json_object_array_add(list, json_object_new_string(s));
	json_object_object_add(in, "sid", list);
	return 0;
}

static void add_number(struct cli *cli, struct json_object *in, const char *option,
		       const char *name)
{
	if (opt_value(cli, option) != NULL)
		json_object_object_add(in, name,
				       json_object_new_int64((int64_t)opt_number(cli, option, 0)));
}

static int add_vlan(struct cli *cli, struct json_object *in, const char *vlan)
{
	char *end, *inner_end;
	unsigned long outer = strtoul(vlan, &end, 10),
		      inner = *end == '.' ? strtoul(end + 1, &inner_end, 10) : 0;

	if (end == vlan ||
	    (*end != '\0' && (*end != '.' || inner_end == end + 1 || *inner_end != '\0')))
		return cli_fail(cli, EXIT_USAGE, "--vlan %s: an id, or OUTER.INNER", vlan);
	json_object_object_add(in, "outer-vlan", json_object_new_int64((int64_t)outer));
	if (*end == '.')
		json_object_object_add(in, "inner-vlan", json_object_new_int64((int64_t)inner));
	return 0;
}

/* The operation's input; NULL: a complaint was printed, *ret_rc is the exit status. */
static struct json_object *question(struct cli *cli, int *ret_rc)
{
	const char *hex = opt_value(cli, "--hex"), *pcap = opt_value(cli, "--pcap"),
		   *flow = opt_value(cli, "--flow"), *drop = opt_value(cli, "--drop"),
		   *iface = opt_value(cli, "--interface"), *sids = opt_value(cli, "--sids"),
		   *vlan = opt_value(cli, "--vlan");
	struct json_object *in = json_object_new_object();
	int rc = 0;

	js_add(in, "interface", iface);
	if ((hex != NULL) + (pcap != NULL) + (flow != NULL) + (drop != NULL) != 1)
		rc = cli_fail(cli, EXIT_USAGE,
			      "explain which packet?  One of --hex, --pcap, --flow and --drop");
	else if (drop != NULL)
		rc = from_drop(cli, in, drop);
	else if (iface == NULL)
		rc = cli_fail(cli, EXIT_USAGE, "--interface: where would the packet be received?");
	else if (hex != NULL)
		rc = from_hex(cli, in, hex);
	else if (pcap != NULL)
		rc = from_pcap(cli, in, pcap);
	else
		js_add(in, "flow", flow);
	add_number(cli, in, "--ttl", "ttl");
	add_number(cli, in, "--dscp", "dscp");
	add_number(cli, in, "--length", "length");
	js_add(in, "outer-source", opt_value(cli, "--outer-source"));
	if (rc == 0 && sids != NULL)
		rc = add_sids(cli, in, sids);
	if (rc == 0 && vlan != NULL)
		rc = add_vlan(cli, in, vlan);
	*ret_rc = rc;
	if (rc == 0)
		return in;
	json_object_put(in);
	return NULL;
}

/* ---- the answer ---------------------------------------------------------------------------------------------- */

static void print_meaning(struct cli *cli, struct json_object *o)
{
	if (js_str(o, "meaning")[0] == '\0')
		return;
	printf("  %s%s%s%s%s%s", paint(cli, "2"), js_str(o, "meaning"),
	       js_str(o, "reference")[0] != '\0' ? " (" : "", js_str(o, "reference"),
	       js_str(o, "reference")[0] != '\0' ? ")" : "", paint(cli, "0"));
}

static void print_step(struct cli *cli, struct json_object *s)
{
	printf("  %s%-14s%s %s%s%s", paint(cli, "36"), js_str(s, "node"), paint(cli, "0"),
	       js_str(s, "verdict"), js_str(s, "next")[0] != '\0' ? " -> " : "", js_str(s, "next"));
	print_meaning(cli, s);
	printf("\n");
	js_foreach(e, js_get(s, "entry"))
		printf("      by %s %s%s%s%s%s\n", js_str(e, "kind"), js_str(e, "name"),
		       paint(cli, "2"), js_str(e, "path")[0] != '\0' ? "  " : "", js_str(e, "path"),
		       paint(cli, "0"));
	js_foreach(c, js_get(s, "change"))
	{
		const char *what = js_str(c, "what");

		if (strcmp(what, "set") == 0)
			printf("      %s %s: %s -> %s\n", js_str(c, "header"), js_str(c, "field"),
			       js_str(c, "from"), js_str(c, "to"));
		else
			printf("      %s %s: %s\n", strcmp(what, "added") == 0 ? "+" : "-",
			       js_str(c, "header"),
			       js_str(c, strcmp(what, "added") == 0 ? "to" : "from"));
	}
}

static void print_end(struct cli *cli, struct json_object *p, bool several)
{
	const char *fate = js_str(p, "fate");
	char number[32] = "";

	if (several)
		snprintf(number, sizeof(number), "packet %s ", js_str(p, "number"));
	if (strcmp(fate, "sent") == 0) {
		printf("%s%swould be sent on %s%s, %s octets\n  %s\n", paint(cli, "1"), number,
		       js_str(p, "interface"), paint(cli, "0"), js_str(p, "length"),
		       js_str(p, "summary"));
		printf("  %s%s%s\n", paint(cli, "2"), js_str(p, "data"), paint(cli, "0"));
	} else if (strcmp(fate, "punted") == 0) {
		printf("%s%swould go to the slow path as %s%s: %s\n", paint(cli, "1"), number,
		       js_str(p, "reason"), paint(cli, "0"), js_str(p, "meaning"));
	} else if (strcmp(fate, "dropped") == 0) {
		printf("%s%swould be dropped: %s%s\n", paint(cli, "1"), number, js_str(p, "reason"),
		       paint(cli, "0"));
		printf("  why      %s\n", js_str(p, "meaning"));
		if (js_str(p, "reference")[0] != '\0')
			printf("  by       %s\n", js_str(p, "reference"));
		if (js_str(p, "object")[0] != '\0')
			printf("  object   %s\n", js_str(p, "object"));
		if (js_str(p, "path")[0] != '\0')
			printf("  config   %s\n", js_str(p, "path"));
		if (js_str(p, "advice")[0] != '\0')
			printf("  to do    %s\n", js_str(p, "advice"));
	}
}

static void print_answer(struct cli *cli, struct json_object *o)
{
	struct json_object *packets = js_get(o, "packet");
	bool several = packets != NULL && json_object_array_length(packets) > 1;
	uint64_t number = 0;

	js_foreach(s, js_get(o, "step"))
	{
		if (js_u64(s, "packet") != number) {
			number = js_u64(s, "packet");
			if (several)
				printf("%spacket %llu%s", paint(cli, "1"),
				       (unsigned long long)number, paint(cli, "0"));
			if (js_u64(s, "made-from") != 0)
				printf(", made from packet %s", js_str(s, "made-from"));
			printf("%s%s\n", several ? ": " : "", js_str(s, "summary"));
		}
		print_step(cli, s);
	}
	js_foreach(p, packets) print_end(cli, p, several);
	if (js_str(o, "note")[0] != '\0')
		printf("note: %s\n", js_str(o, "note"));
}

static int write_sent(struct cli *cli, struct json_object *o, const char *path)
{
	static uint8_t frame[16384];
	char why[300];
	struct explain_pcap *p = explain_pcap_create(path, why, sizeof(why));

	if (p == NULL)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, why);
	js_foreach(e, js_get(o, "packet"))
	{
		const char *hex = js_str(e, "data");
		size_t n = 0;

		if (strcmp(js_str(e, "fate"), "sent") != 0)
			continue;
		for (; hex[0] != '\0' && n < sizeof(frame); hex += hex[2] == ':' ? 3 : 2) {
			char octet[3] = { hex[0], hex[1], '\0' };
			frame[n++] = (uint8_t)strtoul(octet, NULL, 16);
		}
		explain_pcap_add(p, frame, n);
	}
	return explain_pcap_close(p) < 0 ?
		       cli_fail(cli, EXIT_ERROR, "%s: could not be written", path) :
		       0;
}

int cmd_explain(struct cli *cli)
{
	struct json_object *answer = NULL, *in;
	const char *file = opt_value(cli, "--file");
	int rc;

	in = question(cli, &rc);
	if (in == NULL)
		return rc;
	rc = api_post(cli, "heddle-explain:explain", in, &answer);
	if (rc != 0)
		return rc;
	if (file != NULL)
		rc = write_sent(cli, js_inner(answer), file);
	if (cli->json)
		js_print(answer);
	else
		print_answer(cli, js_inner(answer));
	json_object_put(answer);
	return rc;
}
