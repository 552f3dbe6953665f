/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_helper.c - which helper the master carries
 *
 * Theory of operation. A ct helper is wanted for what the kernel ties to it: the connection may
 * have expectations. What else it does must not matter for FTP. Never `ftp` (it would rewrite as
 * well), never `irc`.
 *
 * `sane` acts on one 8-byte request only, which the core refuses, and allows one expectation at a
 * time, which is all that FTP needs. It is probed with a request that can only fail: the error
 * shows whether the kernel got as far as finding the helper (ct_msg_put_probe()). Nothing is left
 * behind but the helper's module.
 *
 * `pasvd` is our own, registered by way of nfnetlink_cthelper and left disabled, so that it does
 * nothing. It stays until the module goes. The kernel takes it for a userspace helper's, and shifts
 * the sequence numbers of its connections' packets once more when they come back from any queue
 * after conntrack (nf_confirm_cthelper()). Therefore packets have to be queued before
 * conntrack, and `sane` is preferred.
 */
#include "ct_helper.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

#include "ct_msg.h"
#include "cthelper_msg.h"
#include "log.h"
#include "nl.h"

/* 0: the kernel has the helper, else -errno. */
static int ct_helper_probe(struct nl *nl, const char *name)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	ssize_t len = ct_msg_put_probe(buf, sizeof(buf), name);
	int err = nl_ask(nl, buf, len, NULL, NULL);

	return err == -EBUSY ? 0 : err ? err : -EPROTO;
}

/* Likewise; then it is registered for both families. */
static int ct_helper_register(struct nl *nl, const char *name)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	_Alignas(struct nlmsghdr) uint8_t buf[CTHELPER_MSG_MAX];
	int err = 0;

	for (size_t i = 0; i < sizeof(families) && !err; i++) {
		ssize_t len = cthelper_msg_put_new(buf, sizeof(buf), families[i], name);

		err = nl_ask(nl, buf, len, NULL, NULL);
	}
	return err == -EINVAL ? -EOPNOTSUPP : err;
}

/* In order of preference. */
static const struct candidate {
	enum ct_helper_wanted wanted;
	struct ct_helper ct_helper;
	int (*have)(struct nl *nl, const char *name);
} candidates[] = {
	{CT_HELPER_SANE, {"sane", "nf_conntrack_sane", false}, ct_helper_probe},
	{CT_HELPER_OWN, {"pasvd", "nfnetlink_cthelper", true}, ct_helper_register},
};

static int ct_helper_first(
	struct nl *nl, enum ct_helper_wanted wanted, const struct ct_helper **ret_ct_helper)
{
	int err = -EOPNOTSUPP;

	for (size_t i = 0; i < MNL_ARRAY_SIZE(candidates) && err == -EOPNOTSUPP; i++) {
		const struct candidate *c = &candidates[i];

		if (wanted != CT_HELPER_AUTO && wanted != c->wanted)
			continue;
		err = c->have(nl, c->ct_helper.name);
		if (!err)
			*ret_ct_helper = &c->ct_helper;
	}
	return err;
}

static const char *const missing[] = {
	[CT_HELPER_AUTO] = ("the kernel has no \"sane\" conntrack helper (modprobe "
			    "nf_conntrack_sane) and takes "
			    "none of ours (modprobe nfnetlink_cthelper)"),
	[CT_HELPER_SANE] =
		"the kernel has no \"sane\" conntrack helper (modprobe nf_conntrack_sane)",
	[CT_HELPER_OWN] =
		"the kernel takes no conntrack helper of ours (modprobe nfnetlink_cthelper)",
};

static void ct_helper_log_error(enum ct_helper_wanted wanted, int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		log_at(REASON_LEVEL_ERR, "ct-helper", "no ct helper: %s", missing[wanted]);
		break;
	case -EPERM:
		log_at(REASON_LEVEL_ERR, "ct-helper",
			"no ct helper: asking for helpers needs CAP_NET_ADMIN, and "
			"registering one that of the machine");
		break;
	case -EBUSY:
	case -EEXIST:
		log_at(REASON_LEVEL_ERR, "ct-helper",
			"no ct helper: another program has registered a conntrack "
			"helper named \"pasvd\"");
		break;
	case -EINVAL:
	case -EPROTONOSUPPORT:
		log_at(REASON_LEVEL_ERR, "ct-helper",
			"no ct helper: the kernel has no ctnetlink (modprobe "
			"nf_conntrack_netlink)");
		break;
	default:
		log_at(REASON_LEVEL_ERR, "ct-helper", "no ct helper: conntrack cannot be asked: %s",
			strerror(-err));
	}
}

int ct_helper_find(enum ct_helper_wanted wanted, const struct ct_helper **ret_ct_helper)
{
	_Alignas(struct nlmsghdr) uint8_t answer[NL_ANSWER_MAX];
	struct nl nl;
	int err = nl_open(&nl, answer, sizeof(answer));

	if (!err)
		err = ct_helper_first(&nl, wanted, ret_ct_helper);
	nl_close(&nl);
	return err;
}

const struct ct_helper *ct_helper_named(const char *name)
{
	for (size_t i = 0; i < MNL_ARRAY_SIZE(candidates); i++) {
		if (strcmp(candidates[i].ct_helper.name, name) == 0)
			return &candidates[i].ct_helper;
	}
	return NULL;
}

int ct_helper_choose(enum ct_helper_wanted wanted, const struct ct_helper **ret_ct_helper)
{
	int err = ct_helper_find(wanted, ret_ct_helper);

	if (err)
		ct_helper_log_error(wanted, err);
	return err;
}
