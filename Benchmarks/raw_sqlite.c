// SQLite without anything around it: what the same disk and the same statements give a program in C.
//
//   raw_sqlite replay DATABASE LIST STATEMENTS_PER_COMMIT ROUND ROUNDS   runs one part of the list of record_statements.c
//   raw_sqlite ledger DATABASE SCHEMA BATCHES TRANSFERS                  writes transfers in batches, two entries each
//
// Prints what it did and the seconds it took: `STATEMENTS COMMITS REFUSED SECONDS`, or `TRANSFERS SECONDS`.
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEMPLATES_MAX = 8192, VALUES_MAX = 64, MEMBERS_COUNT = 1000 };

static sqlite3 *database;

static void stop(const char *what) {
  fprintf(stderr, "raw_sqlite: %s: %s\n", what, database ? sqlite3_errmsg(database) : "");
  exit(1);
}

static void run(const char *text) { if (sqlite3_exec(database, text, 0, 0, 0)) stop(text); }

static sqlite3_stmt *prepared(const char *text) {
  sqlite3_stmt *statement = 0;
  if (sqlite3_prepare_v2(database, text, -1, &statement, 0)) stop(text);
  return statement;
}

static void step(sqlite3_stmt *statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) stop(sqlite3_sql(statement));
  sqlite3_reset(statement);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file) stop(path);
  fseek(file, 0, SEEK_END);
  *length = ftell(file);
  rewind(file);
  char *bytes = malloc(*length + 1);
  if (fread(bytes, 1, *length, file) != *length) stop(path);
  bytes[*length] = 0;
  fclose(file);
  return bytes;
}

static void open_database(const char *path) {
  if (sqlite3_open(path, &database)) stop(path);
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON");
}

static uint32_t number_at(const char **place) {
  uint32_t number;
  memcpy(&number, *place, 4);
  *place += 4;
  return number;
}

// Answers 0 when the statement was refused.
static int run_recorded(sqlite3_stmt *statement, const char **place, uint32_t count) {
  for (uint32_t i = 0; i < count && i < VALUES_MAX; i++) {
    char type = *(*place)++;
    uint32_t length = number_at(place);
    int64_t integer;
    double decimal;
    switch (type) {
      case 'i': memcpy(&integer, *place, 8); sqlite3_bind_int64(statement, i + 1, integer); break;
      case 'd': memcpy(&decimal, *place, 8); sqlite3_bind_double(statement, i + 1, decimal); break;
      case 't': sqlite3_bind_text(statement, i + 1, *place, length, SQLITE_STATIC); break;
      case 'b': sqlite3_bind_blob(statement, i + 1, *place, length, SQLITE_STATIC); break;
      default: sqlite3_bind_null(statement, i + 1);
    }
    *place += length;
  }
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW)
    for (int column = sqlite3_column_count(statement) - 1; column >= 0; column--) sqlite3_column_value(statement, column);
  sqlite3_reset(statement);
  return code == SQLITE_DONE;
}

static void skip_values(const char **place, uint32_t count) {
  for (uint32_t i = 0; i < count && i < VALUES_MAX; i++) {
    ++*place;
    uint32_t length = number_at(place);
    *place += length;
  }
}

static void replay(const char *path, const char *list_path, long per_commit, long round, long rounds) {
  static sqlite3_stmt *statements[TEMPLATES_MAX];
  size_t length;
  char *list = read_file(list_path, &length);
  open_database(path);
  char attach[4096];
  snprintf(attach, sizeof attach, "ATTACH '%s.keys' AS keys", path);
  run(attach);
  long total = 0;
  for (int counting = 1; counting >= 0; counting--) {
    const char *place = list, *end = list + length;
    uint32_t template_count = 0;
    long number = 0, done = 0, commits = 0, refused = 0;
    double seconds = 0;
    while (place < end) {
      if (*place++ == 'P') {
        uint32_t size = number_at(&place);
        if (counting && sqlite3_prepare_v3(database, place, size, SQLITE_PREPARE_PERSISTENT, &statements[template_count], 0))
          fprintf(stderr, "raw_sqlite: left out: %s\n", sqlite3_errmsg(database));
        template_count++;
        place += size;
        continue;
      }
      uint32_t template_number = number_at(&place), count = number_at(&place);
      long position = number++;
      int is_ours = !counting && position >= total * round / rounds && position < total * (round + 1) / rounds;
      if (!is_ours || !statements[template_number]) { skip_values(&place, count); continue; }
      double start = now();
      if (done % per_commit == 0) run("BEGIN IMMEDIATE");
      refused += !run_recorded(statements[template_number], &place, count);
      if (++done % per_commit == 0) { run("COMMIT"); commits++; }
      seconds += now() - start;
    }
    total = number;
    if (counting) continue;
    if (!sqlite3_get_autocommit(database)) { double start = now(); run("COMMIT"); commits++; seconds += now() - start; }
    printf("%ld %ld %ld %f\n", done, commits, refused, seconds);
  }
}

static void ledger(const char *path, const char *schema_path, int batches, int transfers) {
  size_t length;
  open_database(path);
  run("CREATE TABLE workspace (id TEXT NOT NULL PRIMARY KEY) STRICT; INSERT INTO workspace VALUES ('ws_bench')");
  run(read_file(schema_path, &length));
  run("INSERT INTO journal_head VALUES ('ws_bench', 0, x'00', 0, 0)");
  sqlite3_stmt *account = prepared("INSERT INTO account VALUES (?1, 'ws_bench', ?1, 'EUR', 'debit', 1, 0)");
  sqlite3_stmt *transaction = prepared("INSERT INTO journal_transaction VALUES ('ws_bench', ?, ?, 1, 1, ?, 'transfer', NULL, NULL, ?)");
  sqlite3_stmt *entry = prepared("INSERT INTO journal_entry VALUES ('ws_bench', ?, ?, ?, ?, ?)");
  sqlite3_stmt *balance = prepared("UPDATE account SET balance = ? WHERE id = ?");
  sqlite3_stmt *head = prepared("UPDATE journal_head SET sequence = ?1, hash = ?2, transaction_count = ?1, entry_count = 2 * ?1 WHERE workspace_id = 'ws_bench'");
  static char names[MEMBERS_COUNT + 1][40];
  static int64_t balances[MEMBERS_COUNT + 1];
  for (int i = 0; i <= MEMBERS_COUNT; i++) {
    snprintf(names[i], sizeof names[i], "acc_%032x", (unsigned)i * 2654435761u);
    sqlite3_bind_text(account, 1, names[i], -1, SQLITE_STATIC);
    step(account);
  }
  unsigned char hash[32];
  char id[48], cause[48];
  int64_t sequence = 0;
  double start = now();
  for (int batch = 0; batch < batches; batch++) {
    run("BEGIN IMMEDIATE");
    for (int number = 0; number < transfers; number++) {
      sequence++;
      sqlite3_randomness(sizeof hash, hash);
      snprintf(id, sizeof id, "jtx_%016llx%016llx", *(unsigned long long *)hash, *(unsigned long long *)(hash + 8));
      snprintf(cause, sizeof cause, "bench_%d_%d", batch, number);
      sqlite3_bind_int64(transaction, 1, sequence);
      sqlite3_bind_text(transaction, 2, id, -1, SQLITE_STATIC);
      sqlite3_bind_text(transaction, 3, cause, -1, SQLITE_STATIC);
      sqlite3_bind_blob(transaction, 4, hash, sizeof hash, SQLITE_STATIC);
      step(transaction);
      for (int side = 0; side < 2; side++) {
        int place = side ? number % MEMBERS_COUNT : MEMBERS_COUNT, amount = side ? -(1 + number % 500) : 1 + number % 500;
        balances[place] += amount;
        sqlite3_bind_int64(entry, 1, sequence);
        sqlite3_bind_int64(entry, 2, side);
        sqlite3_bind_text(entry, 3, names[place], -1, SQLITE_STATIC);
        sqlite3_bind_int64(entry, 4, amount);
        sqlite3_bind_int64(entry, 5, balances[place]);
        step(entry);
      }
    }
    for (int i = 0; i <= MEMBERS_COUNT; i++) {
      sqlite3_bind_int64(balance, 1, balances[i]);
      sqlite3_bind_text(balance, 2, names[i], -1, SQLITE_STATIC);
      step(balance);
    }
    sqlite3_bind_int64(head, 1, sequence);
    sqlite3_bind_blob(head, 2, hash, sizeof hash, SQLITE_STATIC);
    step(head);
    run("COMMIT");
  }
  printf("%lld %f\n", (long long)sequence, now() - start);
}

int main(int count, char **words) {
  if (count == 7 && !strcmp(words[1], "replay"))
    replay(words[2], words[3], atol(words[4]), atol(words[5]), atol(words[6]));
  else if (count == 6 && !strcmp(words[1], "ledger"))
    ledger(words[2], words[3], atoi(words[4]), atoi(words[5]));
  else
    stop("usage: replay DATABASE LIST STATEMENTS_PER_COMMIT ROUND ROUNDS | ledger DATABASE SCHEMA BATCHES TRANSFERS");
  sqlite3_close(database);
  return 0;
}
