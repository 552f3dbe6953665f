// SPDX-License-Identifier: GPL-2.0-or-later
/* carrier.c - which helper the master carries
 *
 * Theory of operation. A carrier is wanted for what the kernel ties to it: the connection may have
 * expectations. What else it does must not matter for FTP. `sane` acts on one 8-byte request only, which the
 * core refuses, and allows one expectation at a time, which is all that FTP needs. Never `ftp` (it would
 * rewrite as well), never `irc`.
 *
 * Each candidate is probed with a request that can only fail: the error tells whether the kernel got as far
 * as finding the helper (ct_msg_put_probe()). Nothing is left behind but the helper's module. The table's
 * order is that of preference; an own helper of nfnetlink_cthelper would be its next row.
 */
#include "carrier.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "ct_msg.h"
#include "log.h"
#include "nl.h"

static const struct carrier carriers[] = {
	{"sane", "nf_conntrack_sane"},
};

/* 0: the kernel has the helper, else -errno. */
static int probe(struct nl *nl, const char *name)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	ssize_t len = ct_msg_put_probe(buf, sizeof(buf), name);
	int result, err;

	if (len < 0)
		return (int)len;
	err = nl_request(nl, buf, (size_t)len, &result, 1, NULL, NULL);
	if (err)
		return err;
	return result == -EBUSY ? 0 : result ? result : -EPROTO;
}

static int first_of(struct nl *nl, const struct carrier **ret_carrier)
{
	int err = -EOPNOTSUPP;

	for (size_t i = 0; i < MNL_ARRAY_SIZE(carriers) && err == -EOPNOTSUPP; i++) {
		err = probe(nl, carriers[i].name);
		if (!err)
			*ret_carrier = &carriers[i];
	}
	return err;
}

static void complain(int err)
{
	const struct carrier *c = &carriers[0];

	switch (err) {
	case -EOPNOTSUPP:
		log_at(REASON_LEVEL_ERR,
			"no carrier: the kernel has no \"%s\" conntrack helper (modprobe %s)", c->name,
			c->module);
		break;
	case -EPERM:
		log_at(REASON_LEVEL_ERR, "no carrier: asking conntrack for helpers needs CAP_NET_ADMIN");
		break;
	case -EINVAL:
	case -EPROTONOSUPPORT:
		log_at(REASON_LEVEL_ERR,
			"no carrier: the kernel has no ctnetlink (modprobe nf_conntrack_netlink)");
		break;
	default:
		log_at(REASON_LEVEL_ERR, "no carrier: conntrack cannot be asked: %s", strerror(-err));
	}
}

int carrier_find(const struct carrier **ret_carrier)
{
	_Alignas(struct nlmsghdr) uint8_t answer[NL_ANSWER_MAX];
	struct nl nl;
	int err = nl_open(&nl, answer, sizeof(answer));

	if (!err)
		err = first_of(&nl, ret_carrier);
	nl_close(&nl);
	return err;
}

int carrier_choose(const struct carrier **ret_carrier)
{
	int err = carrier_find(ret_carrier);

	if (err)
		complain(err);
	return err;
}
