/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.c - the socket at which the daemon is asked about itself
 *
 * Theory of operation. Listener and clients are in one epoll, whose descriptor the loop waits for
 * beside the queues. Between two rounds of packets ctl_work() does one thing for one of them. An
 * answer goes out in pieces: when a client has taken all that was put, the next few objects are. So
 * a table of thousands costs no packet more than those few, and the memory is that of CTL_CLIENTS
 * pieces.
 *
 * Nobody is waited for. A client that neither asks nor reads for CTL_PATIENCE_MS loses its place to
 * the next one that comes; until then it takes nothing but its place. Events are read from the
 * history, by each client at its own pace; those that are no longer remembered when it gets there
 * are counted.
 *
 * When no descriptor is free a client cannot be accepted, and the listener stays readable. It is
 * not polled until a timer expires, so the loop does not spin.
 */
#include "ctl.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

enum {
	PIECE_OBJECTS = 16, /* looked at for a piece of an answer */
	BACKLOG = CTL_CLIENTS,
};

#define GROUP "pasvd"

static bool is_stuck(const struct ctl_client *c, uint64_t now)
{
	bool waits = c->state != CTL_FOLLOWS || c->sent < c->out;

	return waits && now - c->moved > CTL_PATIENCE_MS;
}

static void ctl_client_drop(struct ctl *ctl, struct ctl_client *c)
{
	if (c->state == CTL_FOLLOWS)
		ctl->followers--;
	close(c->fd); /* leaves the epoll, too */
	c->fd = -1;
}

static bool has_more(const struct ctl *ctl, const struct ctl_client *c)
{
	return c->state == CTL_FOLLOWS ? c->next < ctl->about->history->count : c->answer != NULL;
}

/* Says what the client is waited for: its request, or that it reads. */
static void ctl_wait_for_it(const struct ctl *ctl, struct ctl_client *c)
{
	struct epoll_event event = {.data.ptr = c};

	if (c->state == CTL_ASKS)
		event.events = EPOLLIN;
	else if (c->state == CTL_ANSWERED || c->sent < c->out || has_more(ctl, c))
		event.events = EPOLLOUT;
	if (event.events != c->waits_for)
		epoll_ctl(ctl->epoll, EPOLL_CTL_MOD, c->fd, &event);
	c->waits_for = event.events;
}

static struct answer_text ctl_text_of(struct ctl_client *c)
{
	return (struct answer_text){.p = c->text, .n = c->out, .cap = sizeof(c->text)};
}

static void ctl_refuse(struct ctl_client *c, const char *why)
{
	struct answer_text text = ctl_text_of(c);

	answer_put_error(&text, why);
	c->out = text.n;
	c->state = CTL_ANSWERED;
	c->answer = NULL;
}

/* A place for one more client, or NULL. */
static struct ctl_client *ctl_find_place(struct ctl *ctl, uint64_t now)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_client *c = &ctl->client[i];

		if (c->fd >= 0 && is_stuck(c, now))
			ctl_client_drop(ctl, c);
		if (c->fd < 0)
			return c;
	}
	return NULL;
}

static void ctl_send_away(int fd)
{
	char line[128];
	struct answer_text text = {.p = line, .cap = sizeof(line)};

	answer_put_error(&text, "too many ask at once");
	send(fd, line, text.n, MSG_NOSIGNAL);
	close(fd);
}

static void ctl_poll_listener(const struct ctl *ctl, uint32_t events)
{
	struct epoll_event event = {.events = events};

	epoll_ctl(ctl->epoll, EPOLL_CTL_MOD, ctl->listener, &event);
}

static void ctl_pause(struct ctl *ctl, int err)
{
	static const struct itimerspec pause = {.it_value.tv_sec = CTL_PAUSE_S};

	if (timerfd_settime(ctl->pause, 0, &pause, NULL) < 0)
		return;
	ctl_poll_listener(ctl, 0);
	if (!ctl->paused_before)
		log_at(REASON_LEVEL_WARNING, "control-socket", "accept: %s; retrying every %d s",
			strerror(err), CTL_PAUSE_S);
	ctl->paused_before = true;
}

static void ctl_resume(const struct ctl *ctl)
{
	uint64_t expirations;

	if (read(ctl->pause, &expirations, sizeof(expirations)) == sizeof(expirations))
		ctl_poll_listener(ctl, EPOLLIN);
}

static bool is_out_of_resources(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void ctl_take_in(struct ctl *ctl, uint64_t now)
{
	int fd = accept4(ctl->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ctl_client *c;
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0) {
		if (is_out_of_resources(errno))
			ctl_pause(ctl, errno);
		return;
	}
	ctl->paused_before = false;
	c = ctl_find_place(ctl, now);
	event.data.ptr = c;
	if (!c || epoll_ctl(ctl->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		ctl_send_away(fd);
		return;
	}
	c->fd = fd;
	c->state = CTL_ASKS;
	c->waits_for = EPOLLIN;
	c->moved = now;
	c->in = c->out = c->sent = 0;
}

/* What happens meanwhile is for those who follow. */
static void ctl_begin_answer(struct ctl *ctl, struct ctl_client *c, bool follows)
{
	const struct history *history = ctl->about->history;
	bool of_events = answer_is_of_events(c->answer);

	if (follows && ctl->followers == CTL_FOLLOWERS) {
		ctl_refuse(c, "too many follow events");
		return;
	}
	ctl->followers += follows;
	c->state = follows ? CTL_FOLLOWS : CTL_ANSWERED;
	c->next = of_events ? history_first(history) : 0;
	c->until = of_events ? history->count : UINT64_MAX;
}

/* Root or the daemon's own user, not one of the group, to which the socket is open as well. */
static bool is_of_root(const struct ctl *ctl, const struct ctl_client *c)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == ctl->uid);
}

static void ctl_read_request(struct ctl *ctl, struct ctl_client *c, size_t n)
{
	c->answer = answer_to(c->request, n);
	if (c->answer && answer_is_for_root(c->answer) && !is_of_root(ctl, c))
		ctl_refuse(c, "only root may ask for that");
	else if (c->answer)
		ctl_begin_answer(ctl, c,
			n == strlen(answer_follow) && memcmp(c->request, answer_follow, n) == 0);
	else
		ctl_refuse(c, "no such request");
}

/* What stands after the line is not read. */
static void ctl_listen_to(struct ctl *ctl, struct ctl_client *c, uint64_t now)
{
	ssize_t n = recv(c->fd, c->request + c->in, sizeof(c->request) - c->in, 0);
	const char *end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			ctl_client_drop(ctl, c);
		return;
	}
	c->moved = now;
	c->in += (size_t)n;
	end = memchr(c->request, '\n', c->in);
	if (end)
		ctl_read_request(ctl, c, (size_t)(end - c->request));
	else if (c->in == sizeof(c->request))
		ctl_refuse(c, "no such request");
}

/* Leaves out the events that are not remembered any more. */
static void ctl_catch_up(const struct ctl *ctl, struct ctl_client *c, struct answer_text *text)
{
	uint64_t first = history_first(ctl->about->history);

	if (c->next >= first)
		return;
	answer_put_left_out(text, first - c->next);
	c->next = first;
}

/* The next piece of an answer. */
static void ctl_put_piece(const struct ctl *ctl, struct ctl_client *c, uint64_t now)
{
	struct answer_text text = ctl_text_of(c);
	bool more;

	if (answer_is_of_events(c->answer))
		ctl_catch_up(ctl, c, &text);
	for (int i = 0;
		i < PIECE_OBJECTS && has_more(ctl, c) && text.cap - text.n >= ANSWER_LINE_MAX;
		i++) {
		more = c->answer(ctl->about, c->next++, now, &text) && c->next < c->until;
		if (!more && c->state == CTL_ANSWERED) {
			c->answer = NULL;
			answer_put_end(&text);
		}
	}
	c->out = text.n;
}

/* Sends what the client takes. False: it is gone. */
static bool ctl_send_out(struct ctl_client *c, uint64_t now)
{
	ssize_t n = c->sent < c->out
			    ? send(c->fd, c->text + c->sent, c->out - c->sent, MSG_NOSIGNAL)
			    : 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n > 0)
		c->moved = now;
	c->sent += (size_t)n;
	if (c->sent == c->out)
		c->sent = c->out = 0;
	return true;
}

static void ctl_client_serve(struct ctl *ctl, struct ctl_client *c, uint32_t events, uint64_t now)
{
	if (c->state == CTL_ASKS)
		ctl_listen_to(ctl, c, now);
	else if (events & (EPOLLHUP | EPOLLERR))
		ctl_client_drop(ctl, c);
	if (c->fd < 0 || c->state == CTL_ASKS)
		return;
	if (!c->out && has_more(ctl, c))
		ctl_put_piece(ctl, c, now);
	if (!ctl_send_out(c, now) || (c->state == CTL_ANSWERED && !c->answer && !c->out))
		ctl_client_drop(ctl, c);
	else
		ctl_wait_for_it(ctl, c);
}

void ctl_work(struct ctl *ctl, uint64_t now)
{
	struct epoll_event event;

	if (epoll_wait(ctl->epoll, &event, 1, 0) != 1)
		return;
	if (!event.data.ptr)
		ctl_take_in(ctl, now);
	else if (event.data.ptr == &ctl->pause)
		ctl_resume(ctl);
	else
		ctl_client_serve(ctl, event.data.ptr, event.events, now);
}

void ctl_tell(struct ctl *ctl)
{
	for (int i = 0; i < CTL_CLIENTS && ctl->followers; i++) {
		struct ctl_client *c = &ctl->client[i];

		if (c->fd >= 0 && c->state == CTL_FOLLOWS)
			ctl_wait_for_it(ctl, c);
	}
}

/* True if it is a socket to which nobody listens any more. */
static bool is_left_behind(const struct sockaddr_un *addr)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(addr->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int ctl_bind_to(int fd, const struct sockaddr_un *addr)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;

	if (bind(fd, sa, sizeof(*addr)) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_left_behind(addr))
		return -errno;
	return unlink(addr->sun_path) < 0 || bind(fd, sa, sizeof(*addr)) < 0 ? -errno : 0;
}

/* Nobody can connect before listen(). A group that we may not give is left as it is: then it is
 * ours. */
static int ctl_let_in(int fd, const char *path)
{
	const struct group *group = getgrnam(GROUP);

	if (group && chown(path, (uid_t)-1, group->gr_gid) < 0 && errno != EPERM)
		return -errno;
	return chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) < 0 || listen(fd, BACKLOG) < 0
		       ? -errno
		       : 0;
}

/* 0 if it is there, or was made; or -errno. */
static int ctl_make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (!slash || slash == path)
		return 0;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return mkdir(folder, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) < 0 && errno != EEXIST
		       ? -errno
		       : 0;
}

static int ctl_client_start(struct ctl *ctl, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct epoll_event event = {.events = EPOLLIN};
	int err;

	ctl->epoll = epoll_create1(EPOLL_CLOEXEC);
	ctl->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ctl->pause = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (ctl->epoll < 0 || ctl->listener < 0 || ctl->pause < 0)
		return -errno;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	err = ctl_make_folder(path);
	if (!err)
		err = ctl_bind_to(ctl->listener, &addr);
	if (!err)
		err = ctl_let_in(ctl->listener, path);
	if (!err && epoll_ctl(ctl->epoll, EPOLL_CTL_ADD, ctl->listener, &event) < 0)
		err = -errno;
	event.data.ptr = &ctl->pause;
	if (!err && epoll_ctl(ctl->epoll, EPOLL_CTL_ADD, ctl->pause, &event) < 0)
		err = -errno;
	return err;
}

static void ctl_give_up(struct ctl *ctl)
{
	if (ctl->listener >= 0)
		close(ctl->listener);
	if (ctl->epoll >= 0)
		close(ctl->epoll);
	if (ctl->pause >= 0)
		close(ctl->pause);
	ctl->listener = ctl->epoll = ctl->pause = -1;
}

int ctl_open(struct ctl *ctl, const char *path, const struct answer_about *about)
{
	int err;

	ctl->about = about;
	ctl->uid = geteuid();
	ctl->followers = 0;
	for (int i = 0; i < CTL_CLIENTS; i++)
		ctl->client[i].fd = -1;
	ctl->epoll = ctl->listener = ctl->pause = -1;
	ctl->paused_before = false;
	err = path[0] ? ctl_client_start(ctl, path) : 0;
	if (err)
		ctl_give_up(ctl);
	return err;
}

int ctl_fd(const struct ctl *ctl)
{
	return ctl->epoll;
}
