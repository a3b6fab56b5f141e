package engine

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unicode/utf16"
)

// What a browser's database has at least, with all columns of its tables, as Chromium 138 (schema 70) and Firefox 140 make them.
const chromiumSchema = `
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
INSERT INTO meta VALUES('version', '70'), ('last_compatible_version', '16');
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER DEFAULT 0 NOT NULL,
  typed_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER NOT NULL, hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL, from_visit INTEGER,
  external_referrer_url TEXT, transition INTEGER DEFAULT 0 NOT NULL, segment_id INTEGER, visit_duration INTEGER DEFAULT 0 NOT NULL,
  incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL, opener_visit INTEGER, originator_cache_guid TEXT, originator_visit_id INTEGER,
  originator_from_visit INTEGER, originator_opener_visit INTEGER, is_known_to_sync BOOLEAN DEFAULT FALSE NOT NULL,
  consider_for_ntp_most_visited BOOLEAN DEFAULT FALSE NOT NULL, visited_link_id INTEGER DEFAULT 0 NOT NULL, app_id TEXT);
CREATE INDEX visits_url_index ON visits(url);
CREATE TABLE visit_source(id INTEGER PRIMARY KEY, source INTEGER NOT NULL);
CREATE TABLE downloads(id INTEGER PRIMARY KEY, guid VARCHAR NOT NULL, current_path LONGVARCHAR NOT NULL, target_path LONGVARCHAR NOT NULL,
  start_time INTEGER NOT NULL, received_bytes INTEGER NOT NULL, total_bytes INTEGER NOT NULL, state INTEGER NOT NULL, danger_type INTEGER NOT NULL,
  interrupt_reason INTEGER NOT NULL, hash BLOB NOT NULL, end_time INTEGER NOT NULL, opened INTEGER NOT NULL, last_access_time INTEGER NOT NULL,
  transient INTEGER NOT NULL, referrer VARCHAR NOT NULL, site_url VARCHAR NOT NULL, embedder_download_data VARCHAR NOT NULL,
  tab_url VARCHAR NOT NULL, tab_referrer_url VARCHAR NOT NULL, http_method VARCHAR NOT NULL, by_ext_id VARCHAR NOT NULL, by_ext_name VARCHAR NOT NULL,
  by_web_app_id VARCHAR NOT NULL, etag VARCHAR NOT NULL, last_modified VARCHAR NOT NULL, mime_type VARCHAR(255) NOT NULL,
  original_mime_type VARCHAR(255) NOT NULL);
CREATE TABLE downloads_url_chains(id INTEGER NOT NULL, chain_index INTEGER NOT NULL, url LONGVARCHAR NOT NULL, PRIMARY KEY (id, chain_index));
`

const firefoxSchema = `
PRAGMA journal_mode = WAL;
PRAGMA user_version = 83;
CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, rev_host LONGVARCHAR, visit_count INTEGER DEFAULT 0,
  hidden INTEGER DEFAULT 0 NOT NULL, typed INTEGER DEFAULT 0 NOT NULL, frecency INTEGER DEFAULT -1 NOT NULL, last_visit_date INTEGER, guid TEXT,
  foreign_count INTEGER DEFAULT 0 NOT NULL, url_hash INTEGER DEFAULT 0 NOT NULL, description TEXT, preview_image_url TEXT, site_name TEXT,
  origin_id INTEGER, recalc_frecency INTEGER NOT NULL DEFAULT 0, alt_frecency INTEGER, recalc_alt_frecency INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER,
  session INTEGER, source INTEGER DEFAULT 0 NOT NULL, triggeringPlaceId INTEGER);
CREATE INDEX moz_historyvisits_placedateindex ON moz_historyvisits(place_id, visit_date);
CREATE TABLE moz_annos(id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER, content LONGVARCHAR, flags INTEGER DEFAULT 0,
  expiration INTEGER DEFAULT 0, type INTEGER DEFAULT 0, dateAdded INTEGER DEFAULT 0, lastModified INTEGER DEFAULT 0);
CREATE TABLE moz_anno_attributes(id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
INSERT INTO moz_anno_attributes VALUES(1, 'downloads/destinationFileURI'), (2, 'downloads/metaData');
`

// browsed is when everything in the databases of the tests happened.
var browsed = time.Date(2026, 11, 18, 8, 0, 0, 7_000_000, time.UTC)

// chromiumTime counts microseconds from 1601 on.
func chromiumTime(t time.Time) int64 { return t.UnixMicro() + 11_644_473_600_000_000 }

// database opens a database, made with a schema where there is none. Who gets it closes it.
func (s *EngineSuite) database(path, schema string) *sql.DB {
	s.T().Helper()
	if runtime.GOOS == "windows" {
		s.T().Skip("the engine is built without SQLite there")
	}
	s.Require().NoError(os.MkdirAll(filepath.Dir(path), 0o700))
	db, err := sql.Open("sqlite3", path)
	s.Require().NoError(err)
	db.SetMaxOpenConns(1)
	s.do(db, schema)
	return db
}

func (s *EngineSuite) do(db *sql.DB, statement string, values ...any) (id int64) {
	s.T().Helper()
	result, err := db.Exec(statement, values...)
	s.Require().NoError(err, statement)
	id, err = result.LastInsertId()
	s.Require().NoError(err)
	return id
}

// visit is a page that was visited so many times, a minute apart.
func (s *EngineSuite) visitChromium(db *sql.DB, url string, times int) {
	page := s.do(db, `INSERT INTO urls(url, visit_count, last_visit_time) VALUES(?, ?, ?)`, url, times, chromiumTime(browsed))
	for i := range times {
		s.do(db, `INSERT INTO visits(url, visit_time) VALUES(?, ?)`, page, chromiumTime(browsed.Add(-time.Duration(i)*time.Minute)))
	}
}

func (s *EngineSuite) downloadChromium(db *sql.DB, path string, hash []byte, referrer string, urls ...string) {
	id := s.do(db, `INSERT INTO downloads VALUES(NULL, 'g', ?1, ?1, ?2, 9, 9, 1, 0, 0, coalesce(?3, x''), ?2, 0, 0, 0, ?4, '', '', '', '', '', '', '', '', '', '', '', '')`,
		path, chromiumTime(browsed), hash, referrer)
	for i, url := range urls {
		s.do(db, `INSERT INTO downloads_url_chains VALUES(?, ?, ?)`, id, i, url)
	}
}

func (s *EngineSuite) visitFirefox(db *sql.DB, url string, kind, from int) (visit int64) {
	page := s.do(db, `INSERT INTO moz_places(url, visit_count, last_visit_date) VALUES(?, 1, ?)`, url, browsed.UnixMicro())
	return s.do(db, `INSERT INTO moz_historyvisits(place_id, visit_date, visit_type, from_visit) VALUES(?, ?, ?, ?)`, page, browsed.UnixMicro(), kind, from)
}

func (s *EngineSuite) downloadFirefox(db *sql.DB, target, url, page string) {
	from := s.visitFirefox(db, page, 1, 0)
	s.visitFirefox(db, url, 7, int(from))
	for n, content := range []string{`{"state":1,"endTime":1795766400000,"fileSize":9}`, target} {
		s.do(db, `INSERT INTO moz_annos(place_id, anno_attribute_id, content, dateAdded) SELECT max(id), ?, ?, ? FROM moz_places`,
			2-n, content, browsed.UnixMicro())
	}
}

// mark writes a file and its mark of the web: as a file of the stream's name, which is what the accessor ntfs shows of a stream.
func (s *EngineSuite) mark(path, content string, mark []byte) {
	s.T().Helper()
	if runtime.GOOS == "windows" {
		s.T().Skip("no file has a colon in its name there")
	}
	s.Require().NoError(os.MkdirAll(filepath.Dir(path), 0o700))
	s.Require().NoError(os.WriteFile(path, []byte(content), 0o600))
	s.Require().NoError(os.WriteFile(path+":Zone.Identifier", mark, 0o600))
}

// wide is a text in UTF-16, little endian.
func wide(text string) (bytes []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		bytes = append(bytes, byte(unit), byte(unit>>8))
	}
	return bytes
}
