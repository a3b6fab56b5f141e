package engine

import (
	"strings"

	"github.com/Velocidex/ordereddict"
)

// The cell of docs/secrets.md for an HTTP secret: Velociraptor downloads, the helper never has the key.
func (s *EngineSuite) TestAnHTTPSecretCanDownloadWhatTheImportMakesTheFeedOf() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`
LET _ <= secret_add(type="HTTP Secrets", name="ThreatFoxHTTP", secret=dict(
    url_regex="^http://127\\.0\\.0\\.1:", extra_headers="Auth-Key: " + Key))
SELECT secret_modify(type="HTTP Secrets", name="ThreatFoxHTTP", add_users="VelociraptorServer") FROM scope()`,
		ordereddict.NewDict().Set("Key", theKey))
	cell := s.cellOf("../../docs/secrets.md", "ThreatFoxHTTP\",")

	rows, logs := s.queryWithLogs(strings.Replace(cell, "https://threatfox-api.abuse.ch/api/v1/", api.URL, 1), nil)

	s.Contains(rows, `"Status":"published"`)
	s.Contains(rows, `"KeysByKind":{"domain":1}`)
	s.Equal([]string{`{"query":"get_iocs","days":7}`}, api.asked())
	s.NotContains(rows+logs, theKey)
}

// The helper runs from where the secret says, whether the inventory has one or not.
func (s *EngineSuite) TestASecretNeedsNoHelperInTheInventory() {
	s.grantSecret(s.helper(), "admin")

	row, got := s.refresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})),
		map[string]string{"Secret": "ThreatFox", "AuthKey": ""})

	s.Empty(got.failed)
	s.Equal("published", row.Status)
}
