/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: packets in a row of one family and one lane, eight at a time.
 * eight4() and eight6() work from packet `from` on for as long as that goes, and return the packet they stopped at; if
 * one of eight is unusual, nothing about them has changed and they are taken one by one. */
#ifndef PIPELINES_EXPRESS_EXPRESS_ROWS_H
#define PIPELINES_EXPRESS_EXPRESS_ROWS_H

#include "pipelines/express/express_check4.h"
#include "pipelines/express/express_check6.h"
#include "pipelines/express/express_depart.h"
#include "pipelines/express/express_marks.h"
#include "pipelines/express/express_policies.h"
#include "pipelines/express/express_sids.h"

#ifdef __AVX2__

/* Packets with words of one kind, other than all of one neighbour. */
EXPRESS_APART void eights_go(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			     unsigned from, unsigned n, struct eights *e, bool v6)
{
	switch (e->differ >> HD_RESULT_INDEX_BITS == 0 ? hd_result_kind(e->word[0]) :
							 HD_RESULT_ADJ) {
	case HD_RESULT_SID:
		if (v6)
			sids(r, m, verdict, from, n, e);
		else
			depart_each(r, m, verdict, from, n, e, v6);
		break;
	case HD_RESULT_POLICY:
		policies(r, m + from, verdict + from, n, e, v6);
		break;
	default:
		if (v6 ? depart_many(r, m + from, verdict + from, n, e, HOW_IP6, NULL) :
			 depart_many(r, m + from, verdict + from, n, e, HOW_IP4, NULL))
			break;
		depart_each(r, m, verdict, from, n, e, v6);
	}
}

EXPRESS_APART unsigned eight4(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			      unsigned from, unsigned to)
{
	struct eights e;
	unsigned n;

	if (unlikely(!REARM_USUAL(m[from])) || !lane_table(r, false))
		return from;
	n = check4(r, m + from, to - from, &r->lane.four, &e, NULL, 0);
	if (likely(n != 0) &&
	    unlikely(!depart_one(r, m + from, verdict + from, n, &e, HOW_IP4, NULL)))
		eights_go(r, m, verdict, from, n, &e, false);
	return from + n;
}

EXPRESS_APART unsigned eight6(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			      unsigned from, unsigned to)
{
	struct eights e;
	unsigned n;

	if (unlikely(!REARM_USUAL(m[from])) || !lane_table(r, true))
		return from;
	n = check6(r, m + from, to - from, &r->lane.six, &e, NULL, 0);
	if (unlikely(r->marking) && n != 0)
		marks_row(r, m + from, n, &e);
	if (likely(n != 0) &&
	    unlikely(!depart_one(r, m + from, verdict + from, n, &e, HOW_IP6, NULL)))
		eights_go(r, m, verdict, from, n, &e, true);
	return from + n;
}

#else

#define eight4(r, m, verdict, i, to) (i)
#define eight6(r, m, verdict, i, to) (i)

#endif
#endif
