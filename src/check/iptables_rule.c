/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_rule.c - one rule of iptables, from the words that it consists of
 *
 * The tables below say what is done with an option and the word after it. An option or match that
 * is not in them makes the rule unsure: it may then match less than what is understood of it. A
 * target that is not in them is a chain, or not understood.
 */
#include "iptables_rule.h"

#include <string.h>

#include "iptables_option.h"

/* --- words --- */

/* Takes the word at *from, without its quotes, to *to. */
static void iptables_unquote(const char **from, char **to)
{
	bool quoted = false;

	for (; **from && (quoted || **from != ' '); (*from)++) {
		if (**from == '"') {
			quoted = !quoted;
			continue;
		}
		if (**from == '\\' && (*from)[1])
			(*from)++;
		*(*to)++ = **from;
	}
	*(*to)++ = '\0';
}

/* Each word is as long as in the line at most. */
bool words_split(const char *line, struct words *w)
{
	char *to = w->buf;

	w->n = 0;
	if (strlen(line) >= sizeof(w->buf))
		return false;
	for (line += strspn(line, " "); *line; line += strspn(line, " ")) {
		if (w->n == WORDS_MAX)
			return false;
		w->word[w->n++] = to;
		iptables_unquote(&line, &to);
	}
	return true;
}

/* --- a rule --- */

static const struct option *iptables_option_of(const struct option *o, const char *name)
{
	while (o->name && strcmp(o->name, name) != 0)
		o++;
	return o->name ? o : NULL;
}

/* Takes the option at *i, and moves to the next one. Words of options that are not known are
 * options that are not known; `counted`: they belong to a match of which none need be known. */
static void iptables_take_option(
	struct rule *r, const struct words *w, size_t *i, bool behind_target, bool counted)
{
	const struct option *options = behind_target ? iptables_target_options
						     : iptables_match_options,
			    *o;
	bool negated = strcmp(w->word[*i], "!") == 0 && *i + 1 < w->n, whole;
	size_t words;

	*i += negated;
	o = iptables_option_of(options, w->word[*i]);
	words = o ? (size_t)o->takes : 0;
	whole = o && *i + words < w->n;
	if (!whole || !o->set(r, w->word[*i + (words > 0)], negated))
		r->unsure |= !behind_target && (!counted || o || negated);
	*i += 1 + (whole ? words : 0);
}

struct rule iptables_rule(const struct words *w)
{
	struct rule r = {.tcp = TRI_MAYBE};
	bool behind_target = false, counted = false;

	for (size_t i = 2; i < w->n;) {
		bool target = strcmp(w->word[i], "-j") == 0 || strcmp(w->word[i], "-g") == 0;

		if (strcmp(w->word[i], "-m") == 0)
			counted = i + 1 < w->n && iptables_counts(w->word[i + 1]);
		iptables_take_option(&r, w, &i, behind_target, counted);
		behind_target |= target;
	}
	return r;
}
