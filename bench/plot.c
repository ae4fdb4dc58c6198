/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench plot: a result file as SVG, drawn by gnuplot.  Where one number of the parameters changes from result to
 * result of one workload, its curve; else one bar for each result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <json-c/json.h>

#include "bench/bench.h"

static double band(json_object *o, const char *which)
{
	json_object *b = NULL, *v = NULL;

	if (!json_object_object_get_ex(o, "net_over_floor", &b) ||
	    !json_object_object_get_ex(b, which, &v))
		return 0;
	return json_object_get_double(v);
}

static json_object *get(json_object *o, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* The only numeric parameter that differs between the results of one workload; NULL: none or several. */
static const char *swept(json_object *list)
{
	size_t n = json_object_array_length(list);
	json_object *first = json_object_array_get_idx(list, 0);
	const char *found = NULL;

	if (n < 2)
		return NULL;
	json_object_object_foreach(get(first, "params"), key, v0)
	{
		for (size_t i = 1; i < n; i++) {
			json_object *o = json_object_array_get_idx(list, i),
				    *v = get(get(o, "params"), key);

			if (strcmp(json_object_get_string(get(o, "workload")),
				   json_object_get_string(get(first, "workload"))) != 0)
				return NULL;
			if (strcmp(key, "frame_octets") == 0 || strcmp(key, "fresh_octets") == 0)
				continue;
			if (v == NULL ||
			    strcmp(json_object_get_string(v), json_object_get_string(v0)) != 0) {
				if (found != NULL && found != key)
					return NULL;
				found = key;
			}
		}
	}
	return found;
}

/* Mpps of all workers, beside what as many of the first would make. */
static void scaling(FILE *g, json_object *list)
{
	json_object *first = json_object_array_get_idx(list, 0);
	double one = json_object_get_double(get(first, "mpps"));

	fprintf(g,
		"set xlabel \"workers\"\nset ylabel \"Mpps\"\nset yrange [0:*]\nset xtics 1\nset grid\nset key left\n"
		"set title \"%s\"\nplot '-' using 1:2 with linespoints lc rgb '#1f77b4' pt 7 title 'measured', "
		"'' using 1:3 with lines dt 2 lc rgb '#7f7f7f' title 'as many times the first'\n",
		json_object_get_string(get(first, "workload")));
	for (unsigned twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *o = json_object_array_get_idx(list, i);
			int64_t n = json_object_get_int64(get(get(o, "params"), "workers"));

			fprintf(g, "%lld %f %f\n", (long long)n,
				json_object_get_double(get(o, "mpps")), one * (double)n);
		}
		fprintf(g, "e\n");
	}
}

/* ": flows 65536, nexthops 16": parameters that are not 1, without the swept one. */
static const char *others(json_object *o, const char *over, char *to, size_t size)
{
	static const char *const shown[] = { "burst",    "flows",    "routes", "sids",
					     "policies", "segments", "inner",  "nexthops" };
	int n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]) && n < (int)size; i++) {
		json_object *v = get(get(o, "params"), shown[i]);

		if (v != NULL && json_object_get_int64(v) != 1 && strcmp(shown[i], over) != 0)
			n += snprintf(to + n, size - (size_t)n, "%s %s %s", n == 0 ? ":" : ",",
				      shown[i], json_object_get_string(v));
	}
	return to;
}

static void curve(FILE *g, json_object *list, const char *over)
{
	json_object *first = json_object_array_get_idx(list, 0);
	char text[160];

	fprintf(g,
		"set logscale x 10\nset xlabel \"%s\"\nset ylabel \"net cycles per packet / F\"\nset yrange [0:*]\n"
		"set key off\nset grid\nset title \"%s%s\"\n"
		"plot '-' using 1:2:3:4 with yerrorbars lc rgb '#1f77b4' pt 7, '' using 1:2 with lines lc rgb '#1f77b4'\n",
		over, json_object_get_string(get(first, "workload")),
		others(first, over, text, sizeof(text)));
	for (unsigned twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *o = json_object_array_get_idx(list, i);

			fprintf(g, "%s %f %f %f\n",
				json_object_get_string(get(get(o, "params"), over)),
				band(o, "median"), band(o, "min"), band(o, "max"));
		}
		fprintf(g, "e\n");
	}
}

static void label(FILE *g, json_object *o)
{
	static const char *const shown[] = { "routes", "sids", "segments", "inner" };

	fprintf(g, "\"%s", json_object_get_string(get(o, "workload")));
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		json_object *v = get(get(o, "params"), shown[i]);

		if (v != NULL && json_object_get_int64(v) != 1)
			fprintf(g, " %s=%s", shown[i], json_object_get_string(v));
	}
	fprintf(g, "\"");
}

static void bars(FILE *g, json_object *list)
{
	fprintf(g,
		"set ylabel \"net cycles per packet / F\"\nset yrange [0:*]\nset key off\nset grid y\nset boxwidth 0.7\n"
		"set style fill solid 0.6\nset xtics rotate by -35 font ',9'\nset bmargin 9\nset rmargin 9\n"
		"plot '-' using 1:2:xtic(3) with boxes lc rgb '#1f77b4', '' using 1:2:4:5 with yerrorbars lc black pt 0\n");
	for (unsigned twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *o = json_object_array_get_idx(list, i);

			fprintf(g, "%zu %f ", i, band(o, "median"));
			label(g, o);
			fprintf(g, " %f %f\n", band(o, "min"), band(o, "max"));
		}
		fprintf(g, "e\n");
	}
}

int cmd_plot(int argc, char **argv)
{
	json_object *o, *list;
	const char *over;
	FILE *g;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "Usage: heddle-bench plot FILE.json OUT.svg\n");
		return 2;
	}
	o = json_object_from_file(argv[1]);
	list = o == NULL ? NULL : get(o, "results");
	if (list == NULL || json_object_array_length(list) == 0) {
		fprintf(stderr, "heddle-bench: %s is not a result file of heddle-bench\n", argv[1]);
		return 2;
	}
	if (strpbrk(argv[2], "'\"\\\n") != NULL) {
		fprintf(stderr, "heddle-bench: quotes are not possible in the name of a picture\n");
		return 2;
	}
	g = popen("gnuplot", "w");
	if (g == NULL) {
		perror("heddle-bench: gnuplot");
		return 1;
	}
	fprintf(g, "set terminal svg size 900,540 background rgb 'white'\nset output '%s'\n",
		argv[2]);
	over = swept(list);
	if (over != NULL && strcmp(over, "workers") == 0)
		scaling(g, list);
	else if (over != NULL)
		curve(g, list, over);
	else
		bars(g, list);
	rc = pclose(g);
	json_object_put(o);
	if (!WIFEXITED(rc) || WEXITSTATUS(rc) != 0) {
		fprintf(stderr, "heddle-bench: gnuplot did not draw it%s\n",
			WIFEXITED(rc) && WEXITSTATUS(rc) == 127 ? ": it is not installed" : "");
		return 1;
	}
	return 0;
}
