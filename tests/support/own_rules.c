/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_rules.c - `pasvd rules` with a ct helper of our own, whether or not this kernel takes one
 *
 * For tests/rules: the arguments are those of pasvd, and so is what is printed.
 */
#include "conf.h"
#include "ct_helper.h"
#include "rules.h"

static const struct ct_helper *own(enum ct_helper_wanted wanted)
{
	static const struct ct_helper ct_helper = {"pasvd", "nfnetlink_cthelper", true};

	(void)wanted;
	return &ct_helper;
}

int main(int argc, char **argv)
{
	struct conf conf;

	conf_parse(argc, argv, &conf);
	return conf.command == CONF_RULES ? rules_main(&conf, own) : EXIT_USAGE;
}
