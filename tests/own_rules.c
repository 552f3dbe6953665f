// SPDX-License-Identifier: GPL-2.0-or-later
/* own_rules.c - `pasvd rules` with a carrier of our own, whether or not this kernel takes one
 *
 * For tests/rules: the arguments are those of pasvd, and so is what is printed.
 */
#include "carrier.h"
#include "conf.h"
#include "rules.h"

static const struct carrier *own(enum carrier_wanted wanted)
{
	static const struct carrier carrier = {"pasvd", "nfnetlink_cthelper", true};

	(void)wanted;
	return &carrier;
}

int main(int argc, char **argv)
{
	struct conf conf;

	conf_parse(argc, argv, &conf);
	return conf.command == CONF_RULES ? rules_main(&conf, own) : EXIT_USAGE;
}
