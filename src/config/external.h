/* SPDX-License-Identifier: GPL-2.0-or-later */
/* external.h - what of external addresses changes while we run
 *
 * A router whose address changes has it written to a file. The address goes into the entry of the
 * policy that names the file, and stays there for as long as the file has no other one to offer. An
 * interface that an entry names may come, go, and come back with another index; the entry counts
 * only while it is there.
 */
#ifndef PASVD_EXTERNAL_H
#define PASVD_EXTERNAL_H

#include "ifname.h"
#include "pasvd/policy.h"

enum { EXTERNAL_PATH_MAX = 192 };

struct external_file {
	size_t entry;                 /* of policy.external */
	struct addr addr;             /* the last good one, or ADDR_NONE */
	bool bad;                     /* it has none now, and this was said */
	char path[EXTERNAL_PATH_MAX]; /* absolute */
};

struct external_interface {
	size_t entry;   /* of policy.external */
	uint32_t index; /* 0: not there, or not looked for yet */
	bool missing;   /* it is not there, and this was said */
	char name[IF_NAMESIZE];
};

struct external_watch {
	size_t n_files, n_interfaces;
	struct external_file file[POLICY_LIST_MAX];
	struct external_interface interface[POLICY_LIST_MAX];
	char lan[IF_NAMESIZE]; /* of policy.lan; "": nobody asks */
};

/* Whether the address can be announced: neither unspecified, loopback, link-local, multicast
 * nor reserved. */
bool external_usable(const struct addr *a);

/* Whether the entry can have this address: it is about addresses of one family. */
bool external_fits(const struct external *entry, const struct addr *a);

/* Reads all files and looks for all interfaces, and puts what it finds into `policy`. Logs each new
 * address or index, and once what is wrong with a file, or that an interface is not there. */
void external_read(struct external_watch *watch, struct policy *policy);

/* Whether there is anything to look at. */
bool external_any(const struct external_watch *watch);

/* Before the first external_read() of `watch`: takes over the last good addresses and the indices
 * of `old`. */
void external_carry(
	struct external_watch *watch, struct policy *policy, const struct external_watch *old);

#endif
