package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/Velocidex/ordereddict"
)

// webHook is a chat's web hook.
type webHook struct {
	*httptest.Server
	mu       sync.Mutex
	status   int
	hangs    bool
	asked    int
	messages []string
}

func (s *EngineSuite) webHook() *webHook {
	hook := &webHook{status: 200}
	hook.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		hook.mu.Lock()
		defer hook.mu.Unlock()
		hook.asked++
		if hook.hangs {
			hook.mu.Unlock()
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
			hook.mu.Lock()
			return
		}
		w.WriteHeader(hook.status)
		if hook.status == 200 {
			hook.messages = append(hook.messages, string(text))
		}
	}))
	s.T().Cleanup(hook.Close)
	return hook
}

func (hook *webHook) set(status int, hangs bool) {
	hook.mu.Lock()
	defer hook.mu.Unlock()
	hook.status, hook.hangs = status, hangs
}

func (hook *webHook) got() (asked int, messages []string) {
	hook.mu.Lock()
	defer hook.mu.Unlock()
	return hook.asked, append([]string{}, hook.messages...)
}

// messagesAre the rows of Messages: status, channel and number of findings of each.
func (s *EngineSuite) messagesAre() (lines []string) {
	for _, row := range s.told("Messages") {
		lines = append(lines, fmt.Sprintf("%s %s %s", row["Status"], row["Channel"], row["Findings"]))
	}
	return lines
}

func (s *EngineSuite) TestAMessageGoesToTheWebHookOfASecretOnceAndNamesNoKey() {
	s.newClient("C.1", "<!channel>")
	hook := s.webHook()
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	s.query(`
LET _ <= secret_add(type="HTTP Secrets", name="Chat", secret=dict(url=URL + "/services/secret-part", method="POST"))
SELECT secret_modify(type="HTTP Secrets", name="Chat", add_users="VelociraptorServer") FROM scope()`,
		ordereddict.NewDict().Set("URL", hook.URL))
	s.alertsRun(map[string]string{"WebhookSecret": "Chat"})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong"), alertedFinding("http://bad-domain.example/a", "strong")}})
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message") // stopped before it has its row, a message is sent again
	s.alertsRun(map[string]string{"WebhookSecret": "Chat"})
	time.Sleep(500 * time.Millisecond)

	_, got := hook.got()
	text := strings.Join(got, "\n")
	s.Equal(1, strings.Count(text, "203[.]0[.]113[.]7:443"), text)
	s.Contains(text, "hxxp://bad-domain[.]example/a")
	s.Contains(text, "Test RAT")
	s.Contains(text, "https://velociraptor.example/app/index.html?org_id=root#/collected/C.1/F.1/results")
	s.NotContains(text, "<!channel>")
	s.NotContains(text, theKey)
	s.NotContains(strings.Join(s.alertsLog(), "\n"), "secret-part")
}

func (s *EngineSuite) TestAMessageWaitsWhileTheWebHookFailsOrHangsAndFindingsGoOn() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	hook.set(500, false)
	s.alertsRun(map[string]string{"WebhookURL": hook.URL})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.becomes(func() bool { asked, _ := hook.got(); return asked > 2 }, "attempts")
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of an attempt")
	s.Equal("failed web hook 1", s.messagesAre()[0])
	s.Contains(s.told("Messages")[0]["Error"], "500")

	hook.set(200, true)
	asked, _ := hook.got()
	s.becomes(func() bool { now, _ := hook.got(); return now > asked }, "an attempt that hangs")
	start := time.Now()
	s.flowEnds("C.1", "F.2", map[string][]string{summary: {alertedFinding("203.0.113.8:443", "strong")}})
	s.findingsBecome(2)
	s.Less(time.Since(start), 5*time.Second)
	s.becomes(func() bool { rows := s.told("Messages"); return rows[len(rows)-1]["Error"] == "no answer within 1 s" }, "the word that it hangs")

	s.alertsRun(map[string]string{"WebhookURL": hook.URL})
	hook.set(200, false)
	s.becomes(func() bool { _, got := hook.got(); return len(got) > 0 }, "the message")
	time.Sleep(500 * time.Millisecond)
	_, got := hook.got()
	s.Require().Len(got, 1)
	s.Contains(got[0], "203[.]0[.]113[.]7:443")
	s.Contains(got[0], "203[.]0[.]113[.]8:443")
	s.becomes(func() bool { lines := s.messagesAre(); return lines[len(lines)-1] == "sent web hook 2" }, "the row of the message")
}

func (s *EngineSuite) TestAMessageThatNobodyTakesIsGivenUpWithAnAlert() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	hook.Close()
	s.alertsRun(map[string]string{"WebhookURL": hook.URL + "/services/secret-part", "GiveUpHours": "0.0009"})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.becomes(func() bool { return strings.Contains(strings.Join(s.messagesAre(), ","), "given up web hook 1") }, "given up")

	time.Sleep(2 * time.Second)
	lines := s.messagesAre()
	s.Equal("failed web hook 1", lines[0])
	s.Equal(1, strings.Count(strings.Join(lines, ","), "given up"))
	s.Equal("given up web hook 1", lines[len(lines)-1], "nothing is tried after that")
	s.Less(len(lines), 10)
	s.NotContains(s.told("Messages")[0]["Error"], "secret-part")
	s.Contains(s.told("Messages")[0]["Error"], "refused")
	s.Contains(strings.Join(s.raised(), "\n"), "ThreatFox: 1 findings could not be sent by web hook")
}

// With 0 a finding is given up after one try that failed, not before any.
func (s *EngineSuite) TestNothingIsGivenUpBeforeItWasTried() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	params := map[string]string{"WebhookURL": hook.URL, "GiveUpHours": "0", "SendSeconds": "2"}
	s.alertsRun(params)
	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
	s.Equal([]string{"sent web hook 1"}, s.messagesAre())
}

// Some of what is found in files has no usable time. Its message names none.
func (s *EngineSuite) TestAFindingWithoutATimeIsToldWithoutOne() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	s.alertsRun(map[string]string{"WebhookURL": hook.URL})
	s.flowEnds("C.1", "F.1", map[string][]string{filesHunt + "/Summary": {
		`{"Strength":"strong","Malware":"Test RAT","IOC":"203.0.113.7:443","Match":"ip","Count":2,"First":null,"Last":null,"Computer":"ws-1"}`}})
	s.becomes(func() bool { _, got := hook.got(); return len(got) > 0 }, "the message")
	_, got := hook.got()
	s.Contains(got[0], "on ws-1 (C.1), 2 times, without a time: https://")
}

func (s *EngineSuite) TestOneMessageSaysHowManyFindingsWereOverTheLimit() {
	s.newClient("C.1", "ws-1")
	s.fiveFindingsAnHourAgo()
	hook := s.webHook()
	s.alertsRun(map[string]string{"WebhookURL": hook.URL, "MaxAlertsPerHour": "2"})
	s.becomes(func() bool { _, got := hook.got(); return len(got) > 0 }, "a message")

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong"), alertedFinding("203.0.113.8:443", "strong"),
		alertedFinding("203.0.113.9:443", "strong")}})
	s.becomes(func() bool { _, got := hook.got(); return strings.Contains(strings.Join(got, ""), "203[") }, "a message of the findings")
	time.Sleep(500 * time.Millisecond)

	_, got := hook.got()
	text := strings.Join(got, "\n")
	s.Equal(1, strings.Count(text, "3 more findings from"), text)
	s.Equal(2, strings.Count(text, "203[.]0[.]113"), text)
}

func (s *EngineSuite) TestAMailGoesThroughTheServerOfASecret() {
	s.newClient("C.1", "ws-1")
	mails := make(chan string, 10)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.Require().NoError(err)
	s.T().Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go takeMail(connection, mails)
		}
	}()
	s.query(`
LET _ <= secret_add(type="SMTP Creds", name="Mail", secret=dict(server="127.0.0.1", server_port=Port, `+"`from`"+`="velociraptor@corp.example"))
SELECT secret_modify(type="SMTP Creds", name="Mail", add_users="VelociraptorServer") FROM scope()`,
		ordereddict.NewDict().Set("Port", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)))
	s.alertsRun(map[string]string{"MailTo": `["soc@corp.example"]`, "MailSecret": "Mail"})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})

	select {
	case mail := <-mails:
		s.Contains(mail, "To: soc@corp.example")
		s.Contains(mail, "From: velociraptor@corp.example")
		s.Contains(mail, "203[.]0[.]113[.]7:443")
	case <-time.After(20 * time.Second):
		s.Fail("no mail", strings.Join(s.alertsLog(), "\n"))
	}
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row")
	s.Equal([]string{"sent mail 1"}, s.messagesAre())
}

// Findings of the days before the web hook was set up are no failure of it, and no restart makes them one.
func (s *EngineSuite) TestAWebHookThatIsSetUpLateGivesNothingUp() {
	s.newClient("C.1", "ws-1")
	s.alertsRun(nil)
	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.findingsBecome(1)
	time.Sleep(4 * time.Second)
	hook := s.webHook()
	params := map[string]string{"WebhookURL": hook.URL, "GiveUpHours": "0.0009"}
	s.alertsRun(params)
	s.flowEnds("C.1", "F.2", map[string][]string{summary: {alertedFinding("203.0.113.8:443", "strong")}})
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
	s.alertsRun(params)
	time.Sleep(time.Second)

	lines := s.messagesAre()
	s.Equal([]string{"sent web hook 1"}, lines)
}

func (s *EngineSuite) TestAMailServerThatHangsHoldsUpNoWebHook() {
	s.newClient("C.1", "ws-1")
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and says nothing
	s.Require().NoError(err)
	defer listener.Close()
	hook := s.webHook()
	s.query(`
LET _ <= secret_add(type="SMTP Creds", name="Mail", secret=dict(server="127.0.0.1", server_port=Port))
SELECT secret_modify(type="SMTP Creds", name="Mail", add_users="VelociraptorServer") FROM scope()`,
		ordereddict.NewDict().Set("Port", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)))
	s.alertsRun(map[string]string{"MailTo": `["soc@corp.example"]`, "MailSecret": "Mail", "WebhookURL": hook.URL})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})

	s.becomes(func() bool { return strings.Contains(strings.Join(s.messagesAre(), ","), "failed mail 1") }, "the word that it hangs")
	s.Contains(strings.Join(s.messagesAre(), ","), "sent web hook 1")
	for _, row := range s.told("Messages") {
		if row["Channel"] == "mail" {
			s.Equal("no answer within 1 s", row["Error"])
		}
	}
}

// takeMail speaks as much SMTP as a sender needs.
func takeMail(connection net.Conn, mails chan string) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	fmt.Fprint(connection, "220 mail.example\r\n")
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		switch strings.ToUpper(strings.TrimSpace(line)) {
		case "DATA":
			fmt.Fprint(connection, "354 go on\r\n")
			text := ""
			for !strings.HasSuffix(text, "\r\n.\r\n") {
				line, err := reader.ReadString('\n')
				if err != nil {
					return
				}
				text += line
			}
			mails <- text
			fmt.Fprint(connection, "250 taken\r\n")
		case "QUIT":
			fmt.Fprint(connection, "221 bye\r\n")
			return
		default:
			fmt.Fprint(connection, "250 mail.example\r\n")
		}
	}
}

func (s *EngineSuite) TestAMessageHasNoLinksAndCallsOfAClientsOwn() {
	s.newClient("C.1", "[click](https://evil.example/host)\n@everyone")
	hook := s.webHook()
	s.alertsRun(map[string]string{"WebhookURL": hook.URL})
	const odd = `{"Strength":"strong","Malware":"[a](HTTPS://evil.example/malware)","Match":"https://evil.example/match","IOC":"http://a.example/?u=https://evil.example/ioc"}`

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {odd}})

	s.becomes(func() bool { _, got := hook.got(); return len(got) > 0 }, "the message")
	_, got := hook.got()
	text := strings.ReplaceAll(got[0], "https://velociraptor.example/", "")
	s.NotRegexp(`(?i)https?:|\[click|\[a\]|@`, text)
	s.Contains(text, "hxxp://a[.]example/?u=hxxps://evil[.]example/ioc on _click__hxxps://evil.example/host_ _everyone (C.1)")
}

// A clock that was ahead for days and is set right: what was stored then is of the future.
func (s *EngineSuite) TestMessagesGoOnAfterTheClockWasSetBack() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	clock := s.simulateDays()
	clock.next()
	s.alertsRun(map[string]string{"WebhookURL": hook.URL})
	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
	clock.setBack()

	for n, ioc := range []string{"203.0.113.8:443", "203.0.113.9:443"} {
		before := len(s.messagesAre())
		s.flowEnds("C.1", fmt.Sprint("F.AFTER", n), map[string][]string{summary: {alertedFinding(ioc, "strong")}})
		s.becomes(func() bool {
			_, got := hook.got()
			return strings.Contains(strings.Join(got, ""), strings.ReplaceAll(ioc, ".", "[.]")) && len(s.messagesAre()) > before
		}, "a message after the clock was set back, and its row")
		s.alertsRun(map[string]string{"WebhookURL": hook.URL})
	}

	time.Sleep(500 * time.Millisecond)
	_, got := hook.got()
	for _, ioc := range []string{"203[.]0[.]113[.]7", "203[.]0[.]113[.]8", "203[.]0[.]113[.]9"} {
		s.Equal(1, strings.Count(strings.Join(got, ""), ioc), ioc)
	}
}
