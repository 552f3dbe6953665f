/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.h - the socket at which the daemon is asked about itself
 *
 * A client sends one line, "status", "sessions", "expectations", "reasons", "events" or "follow",
 * and gets objects of JSON, one a line (answer.h). The last one is of type "end" or "error", then
 * the connection is closed; events that are followed have no end. pasvctl(8) is the client; the
 * lines between the two may change together.
 */
#ifndef PASVD_CTL_H
#define PASVD_CTL_H

#include <sys/types.h>

#include "answer.h"

enum {
	CTL_CLIENTS = 8,   /* at once; one more is sent away */
	CTL_FOLLOWERS = 4, /* of those, for events: others can ask all the same */
	CTL_PATIENCE_MS = 5000,
	CTL_PAUSE_S = 1 /* without a free descriptor, until the next client is accepted */
};

struct ctl_client {
	int fd; /* -1: nobody is here */
	enum {
		CTL_ASKS,     /* its request has not come yet */
		CTL_ANSWERED, /* until all is sent */
		CTL_FOLLOWS   /* gets events */
	} state;
	/* but for CTL_ASKS: what puts its next object, NULL after the last one */
	answer_fn *answer;
	uint64_t next;      /* that object's number, */
	uint64_t until;     /* CTL_ANSWERED: and where it ends at the latest */
	uint64_t moved;     /* ms, when it last sent or took something */
	uint32_t waits_for; /* EPOLL* */
	size_t in;          /* bytes in request */
	size_t out, sent;   /* bytes in text, and those of them that it took */
	char request[16];
	char text[4 * ANSWER_LINE_MAX];
};

struct ctl {
	int epoll, listener; /* -1: there is none */
	int pause;           /* timer: while it runs the listener is not polled */
	bool paused_before;  /* the last accept found no descriptor, which was logged */
	const struct answer_about *about;
	uid_t uid; /* the daemon's own */
	unsigned followers;
	struct ctl_client client[CTL_CLIENTS];
};

/* Listens at `path`, which fits in sun_path with its NUL ("": nowhere); makes its folder if that is
 * missing, and takes the place of a daemon that is gone. Its user and the group pasvd may connect.
 * 0, -EADDRINUSE: somebody listens there, or it is no socket; or another -errno: then nobody is
 * listened to. What was opened is closed when the process ends. The name stays: it may be another
 * daemon's by then, and is in nobody's way. */
int ctl_open(struct ctl *ctl, const char *path, const struct answer_about *about);

/* Readable when there is something to do; -1 if there never is. */
int ctl_fd(const struct ctl *ctl);

/* Does one thing, in less than a millisecond or so: takes a client in, reads a request, or goes on
 * with an answer. Never waits for a client. `now` as for engine_packet(). */
void ctl_work(struct ctl *ctl, uint64_t now);

/* There are new events in about->history: they are sent to the clients that follow. */
void ctl_tell(struct ctl *ctl);

#endif
