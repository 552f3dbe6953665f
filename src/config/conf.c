/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - the settings: the configuration, and options over it */
#include "conf.h"

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
	*ret_settings = s;
	return 0;
}
