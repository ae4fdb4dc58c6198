/* SPDX-License-Identifier: BSD-3-Clause
 * Text into XML and SVG.  libc alone, for the command line and for what reports tests. */
#ifndef CTRL_XML_H
#define CTRL_XML_H

#include <stdio.h>

/* Write text as character data or as the value of an attribute in double quotes: markup is escaped, and control
 * characters, which XML 1.0 cannot hold at all, are left out. */
static inline void xml_put(FILE *f, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
				fputc(*text, f);
		}
}

#endif
