package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// leadsAway is a web hook whose address leads to another page, and the texts that this page got.
func (s *EngineSuite) leadsAway(status int, answer string) (url string, texts chan string) {
	texts = make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			text, _ := io.ReadAll(r.Body)
			texts <- string(text)
			_, _ = io.WriteString(w, answer)
			return
		}
		http.Redirect(w, r, "/new", status)
	}))
	s.T().Cleanup(server.Close)
	return server.URL + "/hook", texts
}

// http_client() follows a redirect, and asks for the page then by GET: the text is lost.
func (s *EngineSuite) TestAWebHookThatLeadsToAnotherPageHasNotTakenTheMessage() {
	s.newClient("C.1", "ws-1")
	url, _ := s.leadsAway(http.StatusFound, "<!DOCTYPE html><html><title>Sign in</title></html>")
	s.alertsRun(map[string]string{"WebhookURL": url})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})

	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
	s.Equal("failed web hook 1", s.messagesAre()[0])
	s.Contains(s.told("Messages")[0]["Error"], "a web page answered")
}

// What the other page answers looks like the answer of a web hook, so that only the known answer tells them apart.
func (s *EngineSuite) TestOnlyTheAnswerOfTheWebHookSaysThatItTookTheMessage() {
	s.newClient("C.1", "ws-1")
	s.flowIsStored("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	for _, leads := range []struct {
		status       int
		answer, want string
	}{{301, `{"ok":true}`, "failed"}, {302, "", "failed"}, {308, "ok", "sent"}} {
		url, texts := s.leadsAway(leads.status, leads.answer)
		before := len(s.messagesAre())
		s.alertsRun(map[string]string{"WebhookURL": url, "WebhookAnswer": "^ok$"})

		s.becomes(func() bool { return len(s.messagesAre()) > before }, "the row of a message")
		row := s.told("Messages")[before]
		s.Equal(leads.want, row["Status"], leads)
		s.Equal(leads.want == "sent", strings.Contains(<-texts, "203[.]0[.]113[.]7"), leads)
		if leads.want == "failed" {
			s.Contains(row["Error"], "not the answer of WebhookAnswer: does the address lead to another? "+leads.answer)
		}
	}
}

func (s *EngineSuite) TestMailAddressesThatAreNoListAreNamedInTheLog() {
	s.newClient("C.1", "ws-1")
	const word = "Not a JSON list of addresses: the parameter MailTo."
	for _, list := range []string{"", "[]", `["soc@example.com"]`} {
		s.alertsRun(map[string]string{"MailTo": list})
		time.Sleep(300 * time.Millisecond)
		s.NotContains(strings.Join(s.alertsLog(), "\n"), word)
	}
	for n, list := range []string{"soc@example.com", `"soc@example.com"`} {
		s.alertsRun(map[string]string{"MailTo": list})
		s.becomes(func() bool { return strings.Count(strings.Join(s.alertsLog(), "\n"), word) == n+1 }, "the word")
	}
	s.Contains(strings.Join(s.alertsLog(), "\n"), `"Level":"ERROR"`)
}

// A web hook takes longer than the time between messages: the next begins when the state after the last is known.
func (s *EngineSuite) TestASlowWebHookGetsEachFindingOnce() {
	s.newClient("C.1", "ws-1")
	texts := make(chan string, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		texts <- string(text)
		time.Sleep(250 * time.Millisecond)
	}))
	s.T().Cleanup(hook.Close)
	s.alertsRun(map[string]string{"WebhookURL": hook.URL, "MaxAlertsPerHour": "1000", "Timeout": "30"})
	const count = 200
	for n := range count {
		s.flowEnds("C.1", fmt.Sprint("F.", n), map[string][]string{summary: {alertedFinding(fmt.Sprintf("203.0.113.%d:443", n), "strong")}})
		time.Sleep(25 * time.Millisecond)
	}

	got := ""
	defang := func(n int) string { return fmt.Sprintf("203[.]0[.]113[.]%d:443", n) }
	s.becomes(func() bool {
		for len(texts) > 0 {
			got += <-texts
		}
		return strings.Contains(got, defang(count-1))
	}, "the last")
	time.Sleep(time.Second)
	for len(texts) > 0 {
		got += <-texts
	}
	for n := range count {
		s.Equal(1, strings.Count(got, defang(n)), defang(n))
	}
}
