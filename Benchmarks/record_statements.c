// Put before the SQLite library with LD_PRELOAD, this writes down every statement that a program runs on one database, with its values:
// the list that raw_sqlite.c runs again. RECORD_DATABASE names the database, RECORD_FILE the list.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STATEMENTS_MAX = 65536, VALUES_MAX = 64, TEMPLATES_MAX = 8192 };

typedef struct { char type; uint32_t length; void *bytes; } Value;
typedef struct { sqlite3_stmt *statement; Value values[VALUES_MAX]; } Bound;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Bound *bound[STATEMENTS_MAX];
static char *templates[TEMPLATES_MAX];
static uint32_t template_count;
static FILE *list;

static Bound *find(sqlite3_stmt *statement) {
  size_t place = ((uintptr_t)statement >> 4) % STATEMENTS_MAX;
  for (size_t tries = 0; tries < STATEMENTS_MAX; tries++, place = (place + 1) % STATEMENTS_MAX) {
    if (!bound[place]) {
      bound[place] = calloc(1, sizeof(Bound));
      bound[place]->statement = statement;
      return bound[place];
    }
    if (bound[place]->statement == statement) return bound[place];
  }
  abort();
}

static void keep(sqlite3_stmt *statement, int position, char type, const void *bytes, uint32_t length) {
  if (position < 1 || position > VALUES_MAX) return;
  pthread_mutex_lock(&lock);
  Value *value = &find(statement)->values[position - 1];
  value->type = type;
  value->length = length;
  value->bytes = realloc(value->bytes, length ? length : 1);
  if (length) memcpy(value->bytes, bytes, length);
  pthread_mutex_unlock(&lock);
}

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

int sqlite3_bind_int64(sqlite3_stmt *s, int i, sqlite3_int64 v) { keep(s, i, 'i', &v, 8); return REAL(sqlite3_bind_int64)(s, i, v); }
int sqlite3_bind_double(sqlite3_stmt *s, int i, double v) { keep(s, i, 'd', &v, 8); return REAL(sqlite3_bind_double)(s, i, v); }
int sqlite3_bind_null(sqlite3_stmt *s, int i) { keep(s, i, 'n', "", 0); return REAL(sqlite3_bind_null)(s, i); }
int sqlite3_bind_text(sqlite3_stmt *s, int i, const char *v, int n, void (*d)(void *)) {
  keep(s, i, 't', v, n < 0 ? strlen(v) : (uint32_t)n);
  return REAL(sqlite3_bind_text)(s, i, v, n, d);
}
int sqlite3_bind_blob(sqlite3_stmt *s, int i, const void *v, int n, void (*d)(void *)) {
  keep(s, i, 'b', v, (uint32_t)n);
  return REAL(sqlite3_bind_blob)(s, i, v, n, d);
}

static int is_wanted(sqlite3_stmt *statement, const char *text) {
  static const char *skipped[] = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "ATTACH", "DETACH"};
  const char *wanted = getenv("RECORD_DATABASE");
  const char *file = sqlite3_db_filename(sqlite3_db_handle(statement), "main");
  if (!wanted || !file || strcmp(file, wanted)) return 0;
  for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
    if (!strncasecmp(text, skipped[i], strlen(skipped[i]))) return 0;
  return 1;
}

static uint32_t template_number(const char *text) {
  for (uint32_t i = 0; i < template_count; i++)
    if (!strcmp(templates[i], text)) return i;
  if (template_count == TEMPLATES_MAX) abort();
  uint32_t number = template_count++, length = strlen(text);
  templates[number] = strdup(text);
  fputc('P', list);
  fwrite(&length, 4, 1, list);
  fwrite(text, 1, length, list);
  return number;
}

int sqlite3_step(sqlite3_stmt *statement) {
  const char *text = sqlite3_sql(statement);
  if (text && !sqlite3_stmt_busy(statement) && is_wanted(statement, text)) {
    pthread_mutex_lock(&lock);
    if (!list) list = fopen(getenv("RECORD_FILE"), "wb");
    uint32_t number = template_number(text), count = sqlite3_bind_parameter_count(statement);
    Bound *values = find(statement);
    fputc('S', list);
    fwrite(&number, 4, 1, list);
    fwrite(&count, 4, 1, list);
    for (uint32_t i = 0; i < count && i < VALUES_MAX; i++) {
      fputc(values->values[i].type ? values->values[i].type : 'n', list);
      fwrite(&values->values[i].length, 4, 1, list);
      fwrite(values->values[i].bytes, 1, values->values[i].length, list);
    }
    pthread_mutex_unlock(&lock);
  }
  return REAL(sqlite3_step)(statement);
}

__attribute__((destructor)) static void finish(void) { if (list) fflush(list); }
