/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_kernel.c - what the kernel has, and how full its tables are */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks.h"
#include "ct_helper.h"
#include "nl.h"
#include "probe.h"

static const ino_t initial_user_namespace = 0xEFFFFFFD; /* PROC_USER_INIT_INO of the kernel */

long probe_sysctl(const char *path)
{
	char whole[256], text[32] = "", *end = text;
	long value = -1;
	FILE *file;

	snprintf(whole, sizeof(whole), "/proc/sys/%s", path);
	file = fopen(whole, "re");
	if (file && fgets(text, sizeof(text), file))
		value = strtol(text, &end, 10);
	if (file)
		fclose(file);
	return end > text ? value : -1;
}

/* --- helper --- */

static void probe_kernel_say_missing(struct report *r, const char *what, const char *module)
{
	struct finding *found =
		report_add(r, SEVERITY_ERROR, "ct-helper", "the kernel has no %s", what);

	finding_why(found,
		"the kernel expects data connections only for connections that carry a helper, "
		"and pasvd asks it to "
		"by ctnetlink");
	finding_fix(found, "modprobe %s", module);
}

static void probe_ct_helper(enum ct_helper_wanted wanted, struct report *r)
{
	const struct ct_helper *ct_helper;
	int err = ct_helper_find(wanted, &ct_helper);

	if (!err)
		report_add(r, SEVERITY_OK, "ct-helper", "the kernel has the helper %s",
			ct_helper->name);
	else if (err == -EOPNOTSUPP)
		probe_kernel_say_missing(r,
			wanted == CT_HELPER_OWN ? "nfnetlink_cthelper" : "conntrack helper sane",
			wanted == CT_HELPER_OWN ? "nfnetlink_cthelper" : "nf_conntrack_sane");
	else if (err == -EINVAL || err == -EPROTONOSUPPORT)
		probe_kernel_say_missing(r, "ctnetlink", "nf_conntrack_netlink");
	else
		report_add(r, SEVERITY_UNSEEN, "ct-helper",
			"the kernel cannot be asked for helpers: %s", strerror(-err));
}

/* --- tables --- */

static int probe_kernel_count_one(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(*(long *)data)++;
	return MNL_CB_OK;
}

/* Of all expectations of this namespace, or -1. */
static long probe_kernel_count_expectations(void)
{
	_Alignas(struct nlmsghdr) uint8_t answer[NL_ANSWER_MAX], buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	struct nl nl;
	long count = 0;
	int err = nl_open(&nl, answer, sizeof(answer));

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nfg->version = NFNETLINK_V0;
	if (!err)
		err = nl_ask(&nl, buf, (ssize_t)nlh->nlmsg_len, probe_kernel_count_one, &count);
	nl_close(&nl);
	return err ? -1 : count;
}

/* --- the network namespace --- */

static void probe_kernel_say_namespace(struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_WARNING, "namespace",
		"this network namespace is owned by another user namespace than the initial one");

	finding_why(found,
		"kernels from May 2026 on drop what a program changes in queued packets of such a "
		"namespace: in "
		"unprivileged containers no reply would get through");
	finding_advice(found, "run pasvd on the host, or in a privileged container");
}

/* Which user namespace owns ours. A program can see only its own and those below it. */
static void probe_namespace(struct report *r)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
	    owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
	struct stat st;

	if (owner < 0 || fstat(owner, &st) != 0)
		report_add(r, SEVERITY_UNSEEN, "namespace",
			"the owner of this network namespace: %s", strerror(errno));
	else if (st.st_ino != initial_user_namespace)
		probe_kernel_say_namespace(r);
	else
		report_add(r, SEVERITY_OK, "namespace",
			"packets may be changed in this network namespace");
	if (owner >= 0)
		close(owner);
	if (fd >= 0)
		close(fd);
}

void probe_kernel(enum ct_helper_wanted wanted, struct report *r)
{
	probe_ct_helper(wanted, r);
	probe_namespace(r);
	check_room(r, "conntrack", "connections", "net.netfilter.nf_conntrack_max",
		probe_sysctl("net/netfilter/nf_conntrack_count"),
		probe_sysctl("net/netfilter/nf_conntrack_max"));
	check_timeout(r, probe_sysctl("net/netfilter/nf_conntrack_tcp_timeout_established"));
	check_room(r, "expectations", "expectations", "net.netfilter.nf_conntrack_expect_max",
		probe_kernel_count_expectations(),
		probe_sysctl("net/netfilter/nf_conntrack_expect_max"));
	check_events(r, probe_sysctl("net/netfilter/nf_conntrack_events"));
}

void probe_harmless(const struct facts *f, struct report *r)
{
	bool by_nft = f->nft.wanted || f->nft.loaded;

	check_auto_helper(r, probe_sysctl("net/netfilter/nf_conntrack_helper"), by_nft);
	check_bridge(r, "net.bridge.bridge-nf-call-iptables",
		probe_sysctl("net/bridge/bridge-nf-call-iptables"));
	check_bridge(r, "net.bridge.bridge-nf-call-ip6tables",
		probe_sysctl("net/bridge/bridge-nf-call-ip6tables"));
	check_flowtables(r, f->flowtables);
}
