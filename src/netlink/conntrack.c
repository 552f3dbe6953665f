/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.c - struct ct_ops, answered by the kernel
 *
 * Theory of operation. Each question is one nl_ask(). conntrack_commit() puts the expectation,
 * how long it lives and the adjustment into one datagram, in this order; the kernel answers each
 * for itself, so one can fail alone. If the adjustment fails the expectation is taken back: a
 * client that gets a wrong port shall not find an open one. What sets the time finds its
 * expectation by the tuple, whosever it is (tests/platform/expect_life_in_one_datagram.c), so
 * conntrack_commit() looks first whether there is one if another session may have it.
 *
 * An expectation is taken back by its id, after a look at whose it is: its tuple alone may
 * meanwhile belong to another session, of the same client with another server behind the same
 * address.
 *
 * Errors that conntrack is not expected to give are logged here, where the errno is known; a clash
 * and an unknown connection are answers, not errors.
 */
#include "conntrack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

#include "ct_msg.h"
#include "log.h"

enum { EXPECT, LIFE, ADJUST, REQUESTS };

static enum ct_result conntrack_failed(const char *what, int err)
{
	log_packet(REASON_LEVEL_ERR, NULL, "conntrack", strerror(-err), "refused=%s", what);
	return CT_FAIL;
}

struct view_wanted {
	const struct ct_helper *ct_helper;
	struct ct_view *ret_view;
};

static int conntrack_take_view(const struct nlmsghdr *nlh, void *data)
{
	const struct view_wanted *w = data;

	return ct_msg_parse_view(nlh, nlh->nlmsg_len, w->ct_helper->name, w->ret_view) < 0
		       ? MNL_CB_ERROR
		       : MNL_CB_STOP;
}

static enum ct_result conntrack_get(void *ctx, const struct tuple *t, struct ct_view *ret_view)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct conntrack *c = ctx;
	struct view_wanted w = {c->ct_helper, ret_view};
	ssize_t len = ct_msg_put_get(buf, sizeof(buf), t);
	int err = nl_ask(&c->nl, buf, len, conntrack_take_view, &w);

	if (err == -ENOENT)
		return CT_NONE;
	return err ? conntrack_failed("get", err) : CT_OK;
}

static int conntrack_take_expect(const struct nlmsghdr *nlh, void *data)
{
	return ct_msg_parse_expect(nlh, nlh->nlmsg_len, data) < 0 ? MNL_CB_ERROR : MNL_CB_STOP;
}

/* Who has the expectation that takes e->tuple. */
static int conntrack_expect_find(
	struct conntrack *c, const struct expect *e, struct ct_expect_id *ret_id)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	ssize_t len = ct_msg_put_expect_get(buf, sizeof(buf), e);
	int err = nl_ask(&c->nl, buf, len, conntrack_take_expect, ret_id);

	if (!err)
		ret_id->master.zone = e->master.zone;
	return err;
}

bool conntrack_expected(void *c, const struct expect *e, uint32_t *ret_seconds)
{
	struct ct_expect_id id = {0};

	if (conntrack_expect_find(c, e, &id) || !tuple_eq(&id.master, &e->master))
		return false;
	*ret_seconds = id.seconds;
	return true;
}

static enum ct_result conntrack_expect_master(
	void *ctx, const struct expect *e, struct tuple *ret_master)
{
	struct ct_expect_id id = {0};
	int err = conntrack_expect_find(ctx, e, &id);

	if (err)
		return err == -ENOENT ? CT_NONE : conntrack_failed("expect_get", err);
	*ret_master = id.master;
	return CT_OK;
}

struct expect_wanted {
	bool found;
	struct expect expect;
};

static int conntrack_take_expected(const struct nlmsghdr *nlh, void *data)
{
	struct expect_wanted *w = data;

	w->found |= ct_msg_parse_expected(nlh, nlh->nlmsg_len, &w->expect) == 0;
	return MNL_CB_OK;
}

static enum ct_result conntrack_expect_get(
	void *ctx, const struct tuple *master, struct expect *ret_expect)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct conntrack *c = ctx;
	struct expect_wanted w = {.found = false};
	ssize_t len = ct_msg_put_expect_dump(buf, sizeof(buf), master);
	int err = nl_ask(&c->nl, buf, len, conntrack_take_expected, &w);

	if (err && err != -ENOENT)
		return conntrack_failed("expect_dump", err);
	if (err || !w.found)
		return CT_NONE;
	*ret_expect = w.expect;
	ret_expect->master.zone = ret_expect->tuple.zone = master->zone;
	return CT_OK;
}

static bool conntrack_expect_del(void *ctx, const struct expect *e)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct conntrack *c = ctx;
	struct ct_expect_id id = {0};
	int err = conntrack_expect_find(c, e, &id);

	if (!err && !tuple_eq(&id.master, &e->master))
		err = -ENOENT;
	if (!err)
		err = nl_ask(
			&c->nl, buf, ct_msg_put_expect_del(buf, sizeof(buf), e, id.id), NULL, NULL);
	if (err && err != -ENOENT)
		conntrack_failed("expect_del", err);
	return !err;
}

/* Builds the messages that there are behind each other; returns their length or -errno. What
 * conntrack sees only when it is rewritten it would find invalid from the first text that shrinks
 * on: ACKs would say more than it has seen. */
static ssize_t conntrack_put_commit(const struct conntrack *c, uint8_t *buf, size_t cap,
	const struct tuple *master, enum dir dir, const struct expect *e, const struct seqadj *a)
{
	ssize_t len = e ? ct_msg_put_expect(buf, cap, e) : 0, more = 0;

	if (e && len >= 0) {
		more = ct_msg_put_expect_life(buf + len, cap - (size_t)len, e);
		len = more < 0 ? more : len + more;
	}
	if (!a || len < 0)
		return len;
	more = ct_msg_put_seqadj(
		buf + len, cap - (size_t)len, master, dir, a, c->ct_helper->before_conntrack);
	return more < 0 ? more : len + more;
}

/* The results of what was not asked for are 0. */
static int conntrack_request_commit(struct conntrack *c, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a, int result[REQUESTS])
{
	_Alignas(struct nlmsghdr) uint8_t buf[REQUESTS * CT_MSG_MAX];
	ssize_t len = conntrack_put_commit(c, buf, sizeof(buf), master, dir, e, a);
	size_t first = e ? EXPECT : ADJUST, n = (a ? REQUESTS : ADJUST) - first;

	result[EXPECT] = result[LIFE] = result[ADJUST] = 0;
	if (len <= 0)
		return (int)len;
	return nl_request(&c->nl, buf, (size_t)len, &result[first], n, NULL, NULL);
}

/* What the kernel's answers to a commit come to. */
static enum ct_result conntrack_commit_result(const int result[REQUESTS])
{
	if (result[EXPECT] == -ENOENT || result[ADJUST] == -ENOENT)
		return CT_NONE;
	if (result[EXPECT] == -EEXIST || result[EXPECT] == -EBUSY)
		return CT_BUSY;
	if (result[EXPECT])
		return conntrack_failed("expectation", result[EXPECT]);
	if (result[ADJUST])
		return conntrack_failed("adjustment", result[ADJUST]);
	if (result[LIFE]) /* at worst it lives as long as the ct helper lets it */
		conntrack_failed("life", result[LIFE]);
	return CT_OK;
}

static enum ct_result conntrack_commit(void *ctx, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a)
{
	struct conntrack *c = ctx;
	struct ct_expect_id other;
	enum ct_result done;
	int result[REQUESTS];
	int err = e && e->contested ? conntrack_expect_find(c, e, &other) : -ENOENT;

	if (!err)
		return CT_BUSY;
	if (err != -ENOENT)
		return conntrack_failed("commit", err);
	err = conntrack_request_commit(c, master, dir, e, a, result);
	done = err ? conntrack_failed("commit", err) : conntrack_commit_result(result);
	if (done == CT_FAIL && e && (!result[EXPECT] || result[EXPECT] == -EINPROGRESS))
		conntrack_expect_del(c, e);
	return done;
}

static void conntrack_set_mark(void *ctx, const struct tuple *master, uint32_t value, uint32_t mask)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct conntrack *c = ctx;
	ssize_t len = ct_msg_put_mark(buf, sizeof(buf), master, value, mask, true);
	int err = nl_ask(&c->nl, buf, len, NULL, NULL);

	if (err && err != -ENOENT)
		conntrack_failed("mark", err);
}

struct marked_wanted {
	const struct ct_helper *ct_helper;
	conntrack_take_fn *take;
	void *data;
};

/* What makes no sense, or is not TCP, is left out. */
static int conntrack_take_marked(const struct nlmsghdr *nlh, void *data)
{
	const struct marked_wanted *w = data;
	struct ct_view view;

	if (ct_msg_parse_view(nlh, nlh->nlmsg_len, w->ct_helper->name, &view) == 0 &&
		view.has_helper && view.established)
		w->take(w->data, &view);
	return MNL_CB_OK;
}

int conntrack_marked(struct conntrack *c, uint32_t mark, conntrack_take_fn *take, void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct marked_wanted w = {c->ct_helper, take, data};
	int err = 0;

	for (size_t i = 0; i < sizeof(families) && !err; i++) {
		ssize_t len = ct_msg_put_dump_marked(buf, sizeof(buf), families[i], mark);

		err = nl_ask(&c->nl, buf, len, conntrack_take_marked, &w);
	}
	return err;
}

struct expects_wanted {
	conntrack_expect_fn *take;
	void *data;
};

/* What is not for TCP is left out. */
static int conntrack_take_expects(const struct nlmsghdr *nlh, void *data)
{
	const struct expects_wanted *w = data;
	struct expect e;

	if (ct_msg_parse_expected(nlh, nlh->nlmsg_len, &e) == 0)
		w->take(w->data, &e);
	return MNL_CB_OK;
}

int conntrack_expectations(struct conntrack *c, conntrack_expect_fn *take, void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[CT_MSG_MAX];
	struct expects_wanted w = {take, data};

	return nl_ask(&c->nl, buf, ct_msg_put_expect_dump_all(buf, sizeof(buf)),
		conntrack_take_expects, &w);
}

int conntrack_open(struct conntrack *c, const struct ct_helper *ct_helper)
{
	c->ct_helper = ct_helper;
	return nl_open(&c->nl, c->answer, sizeof(c->answer));
}

void conntrack_close(struct conntrack *c)
{
	nl_close(&c->nl);
}

struct ct_ops conntrack_ops(struct conntrack *c)
{
	return (struct ct_ops){.get = conntrack_get,
		.commit = conntrack_commit,
		.expect_master = conntrack_expect_master,
		.expect_get = conntrack_expect_get,
		.expect_del = conntrack_expect_del,
		.mark = conntrack_set_mark,
		.ctx = c};
}
