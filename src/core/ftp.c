/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp.c - one line of an FTP control connection
 *
 * Two tables: commands by word, announcing replies by code. The readers under them are given bytes
 * and their number and answer in the manner of a picoparser: the bytes consumed, BAD, or PARTIAL
 * where the bytes end too early to decide. A whole line ends with LF, which no reader consumes,
 * so PARTIAL is seen only with a line that is still coming: the same code finds what has to be held
 * back. Not done here: Telnet commands within a line.
 */
#include "pasvd/ftp.h"
#include "pasvd/array.h"

#include <string.h>

enum { BAD = -1, PARTIAL = -2 };

enum {
	CODE_LEN = 3,
	TEXT_AT = 4, /* after "227 " */
	SPACES_MAX = 4,
};

static bool is_eol(uint8_t c)
{
	return c == '\r' || c == '\n';
}

/* A decimal number of at most `digits` digits, not over `max`. */
static int ftp_read_number(
	const uint8_t *p, size_t n, int digits, uint32_t max, uint16_t *ret_number)
{
	uint32_t value = 0;
	int i = 0;

	for (; (size_t)i < n && ftp_is_digit(p[i]); i++) {
		value = value * 10 + (uint32_t)(p[i] - '0');
		if (i == digits || value > max)
			return BAD;
	}
	if ((size_t)i == n)
		return PARTIAL;
	if (i == 0)
		return BAD;
	*ret_number = (uint16_t)value;
	return i;
}

/* A number, and the character after it. */
static int ftp_read_number_and(
	const uint8_t *p, size_t n, int digits, uint32_t max, uint8_t after, uint16_t *ret_number)
{
	uint16_t number;
	int used = ftp_read_number(p, n, digits, max, &number);

	if (used < 0)
		return used;
	if (p[used] != after)
		return BAD;
	*ret_number = number;
	return used + 1;
}

/* A comma and the spaces after it. */
static int ftp_read_comma(const uint8_t *p, size_t n)
{
	int i = 1;

	if (n == 0)
		return PARTIAL;
	if (p[0] != ',')
		return BAD;
	while ((size_t)i < n && p[i] == ' ' && i <= SPACES_MAX)
		i++;
	return (size_t)i == n ? PARTIAL : i;
}

/* Six numbers 0..255 with commas between them. */
static int ftp_read_six(const uint8_t *p, size_t n, uint8_t *ret_six)
{
	int at = 0;

	for (int i = 0; i < 6; i++) {
		uint16_t number = 0;
		int used = i ? ftp_read_comma(p + at, n - (size_t)at) : 0;

		if (used < 0)
			return used;
		at += used;
		used = ftp_read_number(p + at, n - (size_t)at, 3, UINT8_MAX, &number);
		if (used < 0)
			return used;
		at += used;
		ret_six[i] = (uint8_t)number;
	}
	return at;
}

/* "192,168,1,2,195,80" at `at`, not in the middle of a number. */
static int ftp_read_form_six(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer)
{
	uint8_t six[6];
	int used = at && ftp_is_digit(p[at - 1]) ? BAD : ftp_read_six(p + at, n - at, six);

	if (used < 0)
		return used;
	*offer = (struct ftp_offer){
		.form = FTP_FORM_SIX,
		.listen = {addr_ip4(six), (uint16_t)(six[4] << 8 | six[5])},
		.at = (uint16_t)at,
		.len = (uint16_t)used,
	};
	return used;
}

static bool is_ip6_text(uint8_t c)
{
	return ftp_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
	       c == '.';
}

/* "(fd00::2,195,80)" at `at`, where what is before the comma is left of an address and says
 * nothing to us. */
static int ftp_read_form_two(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer)
{
	size_t host = at + 1, two;
	uint16_t high = 0, low = 0;
	int used, more;

	if (p[at] != '(')
		return BAD;
	for (two = host; two < n && is_ip6_text(p[two]); two++)
		continue;
	if (two == n || two == host || p[two] != ',')
		return BAD;
	two++;
	used = ftp_read_number_and(p + two, n - two, 3, UINT8_MAX, ',', &high);
	if (used < 0)
		return BAD;
	more = ftp_read_number_and(p + two + used, n - two - (size_t)used, 3, UINT8_MAX, ')', &low);
	if (more < 0)
		return BAD;
	used += more;
	*offer = (struct ftp_offer){
		.form = FTP_FORM_TWO,
		.listen.port = (uint16_t)(high << 8 | low),
		.at = (uint16_t)two,
		.len = (uint16_t)(used - 1),
	};
	return (int)(two - at) + used;
}

/* RFC 2428: any printable character but a digit. */
static bool is_delimiter(uint8_t c)
{
	return c >= 33 && c <= 126 && !ftp_is_digit(c);
}

/* "(|||" with any delimiter. */
static int ftp_read_229_open(const uint8_t *p, size_t n)
{
	if (p[0] != '(' || (n > 1 && !is_delimiter(p[1])))
		return BAD;
	for (size_t i = 2; i < n && i < 4; i++) {
		if (p[i] != p[1])
			return BAD;
	}
	return n < 4 ? PARTIAL : 4;
}

/* "(|||50000|" at `at`. */
static int ftp_read_229(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer)
{
	int open = ftp_read_229_open(p + at, n - at), used;
	const uint8_t *digits = p + at + 4;
	uint16_t port = 0;

	if (open < 0)
		return open;
	used = ftp_read_number_and(digits, n - at - 4, 5, UINT16_MAX, p[at + 1], &port);
	if (used < 0)
		return used;
	*offer = (struct ftp_offer){.form = FTP_FORM_PORT,
		.listen.port = port,
		.at = (uint16_t)(at + 4),
		.len = (uint16_t)(used - 1)};
	return open + used;
}

/* "1|192.0.2.1|" or "2|2001:db8::1|" after a delimiter. */
static int ftp_read_eprt_address(
	const uint8_t *p, size_t n, uint8_t delimiter, struct addr *ret_addr)
{
	size_t end = 2;

	while (end < n && p[end] != delimiter && end <= 2 + ADDR_TEXT_MAX)
		end++;
	if (n < 2 || end == n)
		return PARTIAL;
	if (p[1] != delimiter || p[end] != delimiter || addr_parse(p + 2, end - 2, ret_addr) < 0)
		return BAD;
	return p[0] == (ret_addr->family == ADDR_IP4 ? '1' : '2') ? (int)end + 1 : BAD;
}

/* "|1|192.0.2.1|50000|" at `at`. */
static int ftp_read_form_eprt(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer)
{
	const uint8_t delimiter = p[at], *form = p + at + 1;
	struct endpoint listen = {0};
	int used = is_delimiter(delimiter)
			   ? ftp_read_eprt_address(form, n - at - 1, delimiter, &listen.addr)
			   : BAD;
	int digits;

	if (used < 0)
		return used;
	digits = ftp_read_number_and(
		form + used, n - at - 1 - (size_t)used, 5, UINT16_MAX, delimiter, &listen.port);
	if (digits < 0)
		return digits;
	*offer = (struct ftp_offer){
		.form = FTP_FORM_EPRT,
		.delimiter = delimiter,
		.listen = listen,
		.at = (uint16_t)(at + 1),
		.len = (uint16_t)(used + digits - 1),
	};
	return used + digits + 1;
}

/* "(|1|192.0.2.1|50000|" at `at`. */
static int ftp_read_229_full(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer)
{
	return p[at] == '(' && at + 1 < n ? ftp_read_form_eprt(p, n, at + 1, offer) : BAD;
}

typedef int read_offer_fn(const uint8_t *p, size_t n, size_t at, struct ftp_offer *offer);

static const struct {
	uint16_t code;
	read_offer_fn *read;
} replies[] = {
	{FTP_ENTERING_PASSIVE, ftp_read_form_six},
	{FTP_ENTERING_PASSIVE, ftp_read_form_two},
	{FTP_ENTERING_EXTENDED_PASSIVE, ftp_read_229},
	{FTP_ENTERING_EXTENDED_PASSIVE, ftp_read_229_full},
};

static bool is_passive_reply(uint16_t code)
{
	return code == FTP_ENTERING_PASSIVE || code == FTP_ENTERING_EXTENDED_PASSIVE;
}

/* The first place from `at` on where a form of the offer of a reply of this code fits. */
static bool ftp_find_offer(
	uint16_t code, const uint8_t *p, size_t n, size_t from, struct ftp_offer *offer)
{
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		for (size_t at = from; replies[i].code == code && at < n; at++) {
			if (replies[i].read(p, n, at, offer) > 0)
				return true;
		}
	}
	return false;
}

bool ftp_reply_text(uint16_t code, const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	return ftp_find_offer(code, p, n, 0, ret_offer);
}

/* A reply that may offer is held from its code on, since the text makes room for the endpoint
 * (ftp_fit.h). */
size_t ftp_reply_text_hold(uint16_t code, size_t n)
{
	return is_passive_reply(code) ? 0 : n;
}

/* 0 if the line begins with a reply code and what may stand after it. */
static int ftp_read_code(const uint8_t *p, size_t n, struct ftp_reply *reply)
{
	if (n <= CODE_LEN || p[0] < '1' || p[0] > '5' || !ftp_is_digit(p[1]) || !ftp_is_digit(p[2]))
		return BAD;
	if (p[CODE_LEN] != ' ' && p[CODE_LEN] != '-' && !is_eol(p[CODE_LEN]))
		return BAD;
	reply->code = (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
	reply->more = p[CODE_LEN] == '-';
	return 0;
}

int ftp_reply(const uint8_t *p, size_t n, struct ftp_reply *ret_reply)
{
	struct ftp_reply reply = {0};

	if (ftp_read_code(p, n, &reply) < 0)
		return -1;
	reply.offers = ftp_find_offer(reply.code, p, n, TEXT_AT, &reply.offer);
	*ret_reply = reply;
	return 0;
}

size_t ftp_reply_hold(const uint8_t *p, size_t n)
{
	struct ftp_reply reply = {0};

	return ftp_read_code(p, n, &reply) == 0 && is_passive_reply(reply.code) ? TEXT_AT : n;
}

static uint8_t ftp_to_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

bool ftp_is_word(const uint8_t *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	if (n <= len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (ftp_to_upper(p[i]) != (uint8_t)word[i])
			return false;
	}
	return p[len] == ' ' || is_eol(p[len]);
}

/* RFC 854: IAC and a command, or IAC, WILL, WONT, DO or DONT, and an option. Clients send some in
 * front of ABOR. */
size_t ftp_telnet(const uint8_t *p, size_t n)
{
	enum { WILL = 251, DONT = 254 };
	size_t at = 0;

	while (n - at > 2 && p[at] == FTP_TELNET_IAC)
		at += p[at + 1] >= WILL && p[at + 1] <= DONT ? 3 : 2;
	return at;
}

static bool ftp_is_letter(uint8_t c)
{
	return ftp_to_upper(c) >= 'A' && ftp_to_upper(c) <= 'Z';
}

bool ftp_is_request_line(const uint8_t *p, size_t n)
{
	while (n && is_eol(p[n - 1]))
		n--;
	return n > 9 && memcmp(p + n - 9, " HTTP/1.", 8) == 0; /* and a digit */
}

bool ftp_is_command(const uint8_t *p, size_t n)
{
	size_t begin = ftp_telnet(p, n), end = begin;

	while (end < n &&
		(ftp_is_letter(p[end]) || (end > begin && (ftp_is_digit(p[end]) || p[end] == '@'))))
		end++;
	return end > begin && end < n && (p[end] == ' ' || is_eol(p[end]));
}

static const struct ftp_command_word {
	const char *word;
	enum ftp_verb verb;
	read_offer_fn *read;
} commands[] = {
	{"PASV", FTP_PASV, NULL}, {"P@SW", FTP_PASV, NULL}, {"CPSV", FTP_PASV, NULL},
	{"EPSV", FTP_EPSV, NULL}, {"PORT", FTP_PORT, ftp_read_form_six},
	{"EPRT", FTP_EPRT, ftp_read_form_eprt}, {"LPSV", FTP_LONG, NULL}, {"LPRT", FTP_LONG, NULL},
	{"AUTH", FTP_AUTH, NULL},
	/* clang-format off */
	{"USER", FTP_USER, NULL}, {"PASS", FTP_PASS, NULL}, {"ACCT", FTP_PASS, NULL},
	{"REIN", FTP_REIN, NULL}, {"HOST", FTP_HOST, NULL}, {"ABOR", FTP_ABOR, NULL},
	{"APPE", FTP_FILE, NULL}, {"LIST", FTP_FILE, NULL}, {"MDTM", FTP_FILE, NULL},
	{"MLSD", FTP_FILE, NULL}, {"NLST", FTP_FILE, NULL}, {"PRET", FTP_FILE, NULL},
	{"RETR", FTP_FILE, NULL}, {"SIZE", FTP_FILE, NULL}, {"STOR", FTP_FILE, NULL},
	{"STOU", FTP_FILE, NULL}, {"ALLO", FTP_PLAIN, NULL}, {"CCC", FTP_PLAIN, NULL},
	{"CLNT", FTP_PLAIN, NULL}, {"FEAT", FTP_PLAIN, NULL}, {"LANG", FTP_PLAIN, NULL},
	{"MODE", FTP_PLAIN, NULL}, {"NOOP", FTP_PLAIN, NULL}, {"OPTS", FTP_PLAIN, NULL},
	{"PBSZ", FTP_PLAIN, NULL}, {"PROT", FTP_PLAIN, NULL}, {"QUIT", FTP_PLAIN, NULL},
	{"REST", FTP_PLAIN, NULL}, {"SSCN", FTP_PLAIN, NULL}, {"STRU", FTP_PLAIN, NULL},
	{"SYST", FTP_PLAIN, NULL}, {"TYPE", FTP_PLAIN, NULL},
	/* clang-format on */
};

/* The command whose word stands at `at`, or NULL. */
static const struct ftp_command_word *ftp_find_command(const uint8_t *p, size_t n, size_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (ftp_is_word(p + at, n - at, commands[i].word))
			return &commands[i];
	}
	return NULL;
}

static size_t ftp_skip_spaces(const uint8_t *p, size_t n, size_t at)
{
	while (at < n && p[at] == ' ')
		at++;
	return at;
}

void ftp_command(const uint8_t *p, size_t n, struct ftp_command *ret_command)
{
	size_t at = ftp_telnet(p, n), argument;
	const struct ftp_command_word *command = ftp_find_command(p, n, at);

	*ret_command = (struct ftp_command){.verb = FTP_OTHER, .at = (uint16_t)at};
	if (at < n && is_eol(p[at]))
		ret_command->verb = FTP_EMPTY;
	if (!command)
		return;
	ret_command->verb = command->verb;
	argument = ftp_skip_spaces(p, n, at + strlen(command->word));
	/* RFC 2428 section 4: EPSV ALL announces nothing. */
	if (command->verb == FTP_EPSV && ftp_is_word(p + argument, n - argument, "ALL"))
		ret_command->verb = FTP_PLAIN;
	ret_command->offers = command->read && argument < n &&
			      command->read(p, n, argument, &ret_command->offer) > 0;
}

/* True if the `n` bytes at `p` are the word, or its beginning. */
static bool may_be_word(const uint8_t *p, size_t n, const char *word)
{
	for (size_t i = 0; i < n && word[i]; i++) {
		if (ftp_to_upper(p[i]) != (uint8_t)word[i])
			return false;
	}
	return n <= strlen(word) || ftp_is_word(p, n, word);
}

size_t ftp_word_hold(const uint8_t *p, size_t n)
{
	size_t at = ftp_telnet(p, n);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		bool stopped = commands[i].verb == FTP_LONG || commands[i].verb == FTP_AUTH;

		if (stopped && may_be_word(p + at, n - at, commands[i].word))
			return at;
	}
	return n;
}

size_t ftp_command_hold(const uint8_t *p, size_t n)
{
	size_t at = ftp_telnet(p, n), argument;
	const struct ftp_command_word *command = ftp_find_command(p, n, at);
	struct ftp_offer offer;

	if (!command || !command->read)
		return n;
	argument = ftp_skip_spaces(p, n, at + strlen(command->word));
	return argument == n || command->read(p, n, argument, &offer) == BAD ? n : argument;
}

static size_t ftp_text_two(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf)
{
	size_t n = decimal_text(e->port >> 8, buf);

	(void)offer;
	buf[n++] = ',';
	return n + decimal_text(e->port & 255, buf + n);
}

static size_t ftp_put_six(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf)
{
	size_t n = addr_ip4_text(&e->addr, ',', buf);

	buf[n++] = ',';
	return n + ftp_text_two(offer, e, buf + n);
}

static size_t ftp_put_port(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf)
{
	(void)offer;
	return decimal_text(e->port, buf);
}

static size_t ftp_put_eprt(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf)
{
	size_t n = 0;

	buf[n++] = e->addr.family == ADDR_IP4 ? '1' : '2';
	buf[n++] = offer->delimiter;
	n += addr_text(&e->addr, buf + n);
	buf[n++] = offer->delimiter;
	return n + decimal_text(e->port, buf + n);
}

size_t ftp_offer_text(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf)
{
	static size_t (*const text[])(
		const struct ftp_offer *, const struct endpoint *, uint8_t *) = {
		[FTP_FORM_SIX] = ftp_put_six,
		[FTP_FORM_TWO] = ftp_text_two,
		[FTP_FORM_PORT] = ftp_put_port,
		[FTP_FORM_EPRT] = ftp_put_eprt,
	};

	return text[offer->form](offer, e, buf);
}
