/* SPDX-License-Identifier: GPL-2.0-or-later */
/* external.h - external addresses that stand in files
 *
 * A router whose address changes has it written to a file. The address goes into the entry of the policy that names
 * the file, and stays there for as long as the file has no other one to offer.
 */
#ifndef PASVD_EXTERNAL_H
#define PASVD_EXTERNAL_H

#include "pasvd/policy.h"

enum { EXTERNAL_PATH_MAX = 192 };

struct external_file {
	size_t entry;                 /* of policy.external */
	struct addr addr;             /* the last good one, or ADDR_NONE */
	bool bad;                     /* it has none now, and this was said */
	char path[EXTERNAL_PATH_MAX]; /* absolute */
};

struct external_files {
	size_t n;
	uint64_t looked; /* when, in ms; 0: not yet */
	struct external_file file[POLICY_LIST_MAX];
};

/* Whether the address can be told to others: neither unspecified, loopback, link-local, multicast nor reserved. */
bool external_usable(const struct addr *a);

/* Whether the entry can have this address: it is about addresses of one family. */
bool external_fits(const struct external *entry, const struct addr *a);

/* Reads all files, and puts what they say into `policy`. Logs each new address, and once what is wrong with a file. */
void external_read(struct external_files *files, struct policy *policy);

/* The same if the last time is a second ago or more. `now` in ms, never going back. */
void external_look(struct external_files *files, struct policy *policy, uint64_t now);

/* Before the first external_read() of `files`: takes over the last good addresses of `old`. */
void external_carry(struct external_files *files, struct policy *policy, const struct external_files *old);

#endif
