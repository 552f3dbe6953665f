/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.h - why a packet got its verdict
 *
 * One list: the enum, the counters, the log and the documentation are made from it. The order is
 * that of a packet's way through engine_packet(); of several reasons for one packet the greatest
 * counts.
 */
#ifndef PASVD_REASON_H
#define PASVD_REASON_H

/*       name          log level, meaning */
#define REASONS(X)                                                                                 \
	X(PASSED, "passed", DEBUG, "nothing in it concerns us")                                    \
	X(REPEATED, "repeated", DEBUG, "retransmission, given the same bytes as before")           \
	X(HELD, "held", DEBUG, "the end of an offer has not come: its beginning waits for it")     \
	X(ENCRYPTED, "encrypted", DEBUG, "TLS, or clear text after it that is not believed")       \
	X(SECURED, "secured", INFO, "the control connection is TLS from here on")                  \
	X(NO_MASTER, "no-master", DEBUG,                                                           \
		"an on-demand SYN by a client without a live control connection that "             \
		"is TLS")                                                                          \
	X(NO_RANGE, "no-range", WARNING,                                                           \
		"a port that is not on demand for this client's server, in an on-demand SYN or a " \
		"reply after TLS")                                                                 \
	X(AMBIGUOUS, "ambiguous", WARNING,                                                         \
		"an on-demand SYN of a server that may be for either of two clients")              \
	X(DENIED, "denied", INFO, "the server refused a PORT or EPRT: its expectation is gone")    \
	X(OPENED, "opened", INFO, "an offered port got its expectation")                           \
	X(NO_SLACK, "no-slack", WARNING,                                                           \
		"opened without the external address: it makes the line longer or shorter, "       \
		"which only a translated connection can be")                                       \
	X(BAD_PACKET, "bad-packet", WARNING,                                                       \
		"dropped: not a whole TCP segment over IPv4 or IPv6, or its checksum is wrong")    \
	X(NOT_TRACKED, "not-tracked", WARNING, "conntrack does not know the connection")           \
	X(NO_CT_HELPER, "no-ct-helper", WARNING,                                                   \
		"the connection does not carry our helper: it is the router's own, is older "      \
		"than the rules, or the CT rule is not loaded")                                    \
	X(REORDERED, "reordered", DEBUG,                                                           \
		"dropped, TCP repeats it: it came before bytes that may have to be rewritten")     \
	X(RESET, "reset", DEBUG,                                                                   \
		"the connection was reset before: nothing new of its segments passes")             \
	X(UNREADABLE, "unreadable", WARNING,                                                       \
		"a 227, 229, PORT or EPRT in which no endpoint can be read, or that is over 512 "  \
		"bytes long")                                                                      \
	X(TOO_LATE, "too-late", WARNING,                                                           \
		"an offer whose beginning had passed before it could be rewritten")                \
	X(TOO_MANY, "too-many", WARNING, "more offers under way than are tried at once")           \
	X(UNPAIRED, "unpaired", WARNING, "a 227 or 229 that answers no PASV or EPSV")              \
	X(NOT_FTP, "not-ftp", WARNING, "an offer on a connection whose client does not speak FTP") \
	X(NOT_LOGGED_IN, "not-logged-in", WARNING, "an offer before login")                        \
	X(FOREIGN_ADDRESS, "foreign-address", WARNING,                                             \
		"an offer that names somebody else's address")                                     \
	X(LONG_FORM, "long-form", WARNING, "an LPSV or LPRT (RFC 1639), made an unknown command")  \
	X(TLS_REFUSED, "tls-refused", INFO,                                                        \
		"an AUTH, made an unknown command as the configuration asks")                      \
	X(LOW_PORT, "low-port", WARNING, "a data port under 1024")                                 \
	X(DENIED_PORT, "denied-port", WARNING,                                                     \
		"a data port that is on the list of those never opened")                           \
	X(OPEN_PORTS_LIMIT, "open-ports-limit", WARNING,                                           \
		"the client has as many ports that nobody used yet as it may")                     \
	X(SESSION_LIMIT, "session-limit", WARNING,                                                 \
		"the session has used up its ports of this minute")                                \
	X(CLIENT_LIMIT, "client-limit", WARNING,                                                   \
		"the client has used up its ports of this minute")                                 \
	X(SERVER_LIMIT, "server-limit", WARNING,                                                   \
		"the server has used up its ports of this minute")                                 \
	X(SPOOFED_REPLY, "spoofed-reply", WARNING, "a line of the client that looks like a reply") \
	X(SPOOFED_COMMAND, "spoofed-command", WARNING,                                             \
		"a line of the server that is a command about ports")                              \
	X(PIPELINED, "pipelined", WARNING,                                                         \
		"a command behind a PORT, EPRT, PASV or EPSV that awaits its reply")               \
	X(LONG_LINE, "long-line", WARNING, "a line of more than 512 bytes")                        \
	X(UNPRINTABLE, "unprintable", WARNING,                                                     \
		"a control character in a command, or a NUL or bare CR in a reply")                \
	X(BARE_LF, "bare-lf", WARNING, "a command that ends with LF alone")                        \
	X(NO_FREE_PORT, "no-free-port", WARNING,                                                   \
		"8 ports in a row were taken by other expectations")                               \
	X(CT_FAILED, "ct-failed", ERR, "conntrack refused an expectation or an adjustment")        \
	X(NO_ROOM, "no-room", ERR, "the rewritten packet does not fit")                            \
	X(CT_HELPER_REQUEST, "ct-helper-request", WARNING,                                         \
		"the request on which the ct helper acts, made unreadable")

enum reason {
#define REASON_ENUM(id, name, level, meaning) REASON_##id,
	REASONS(REASON_ENUM)
#undef REASON_ENUM
		REASON_COUNT
};

enum reason_level { REASON_LEVEL_ERR, REASON_LEVEL_WARNING, REASON_LEVEL_INFO, REASON_LEVEL_DEBUG };

/* Never NULL for r < REASON_COUNT; static strings. */
const char *reason_name(enum reason r);

/* The event of the log that it is: "refused" for warnings and errors, else "verdict". */
const char *reason_event(enum reason reason);
const char *reason_meaning(enum reason r);
enum reason_level reason_level(enum reason r);

/* As syslog calls it. */
const char *reason_level_name(enum reason_level level);

#endif
