/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - the settings: the configuration, and options over it */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "setters.h"

static struct text conf_text_of(const char *value)
{
	return (struct text){value, strlen(value)};
}

/* An option is taken, so its key takes it too. */
static void conf_override(struct settings *s, const char *name, const char *option)
{
	const struct settings_key *key;
	struct text value = conf_text_of(option);

	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (strcmp(key->section, "pasvd") == 0 && strcmp(key->name, name) == 0)
			settings_set(s, key, false, &value, "command line");
	}
}

const char *conf_take_queue(void *data, const char *value)
{
	struct conf *conf = data;

	if (conf_value_number(conf_text_of(value), 0, UINT16_MAX, &conf->queue))
		return "must be a queue number from 0 to 65535";
	conf->queue_given = true;
	return NULL;
}

const char *conf_take_socket(void *data, const char *value)
{
	struct conf *conf = data;
	struct settings s;

	if (settings_set_socket(&s, conf_text_of(value)))
		return "must be " SETTINGS_SOCKET_ALLOWED;
	conf->socket = value;
	return NULL;
}

/* Packets of control connections and on-demand SYNs have queues of their own. */
static bool conf_check_queues(const struct settings *s, char *error)
{
	const struct settings_source *own = settings_source_of(s, "pasvd", "queue"),
				     *tls = settings_source_of(s, "tls", "queue");
	bool is_default = strcmp(own->from, "default") == 0;

	if (s->queue != s->tls_queue || !policy_has_on_demand(&s->policy))
		return true;
	snprintf(error, CONF_FILE_ERROR_MAX, "%s: [%s] queue = %s: is the queue of [%s] as well",
		is_default ? tls->from : own->from, is_default ? "tls" : "pasvd", own->value,
		is_default ? "pasvd" : "tls");
	return false;
}

int conf_read(const struct conf *conf, struct settings *ret_settings, char *error)
{
	struct settings s = settings_default();
	char queue[sizeof("65535")];
	int err = conf_file_read(conf->file ? conf->file : CONF_FILE, conf->file, &s, error);

	if (err)
		return err;
	if (conf->queue_given) {
		snprintf(queue, sizeof(queue), "%u", conf->queue);
		conf_override(&s, "queue", queue);
	}
	if (conf->socket)
		conf_override(&s, "control-socket", conf->socket);
	if (!conf_check_queues(&s, error))
		return -EINVAL;
	*ret_settings = s;
	return 0;
}
