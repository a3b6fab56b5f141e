package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// oddIndicators share hosts, stand above each other, and are of every kind. Some are never an indicator, some are services of
// many.
var oddIndicators = [][2]string{
	{"ip:port", "203.0.113.7:4443"}, {"ip:port", "203.0.113.7:8080"}, {"ip:port", "203.0.113.8:443"}, {"ip:port", "198.51.100.23:80"},
	{"ip:port", "198.51.100.24:21"}, {"ip:port", "192.0.2.66:53"}, {"ip:port", "10.0.0.5:443"}, {"ip:port", "127.0.0.1:80"},
	{"ip:port", "5.6.7.8:9"}, {"ip:port", "8.8.4.4:53"}, {"ipv6", "2001:db8:7::53"}, {"ip:port", "[2001:db8:7::54]:443"},
	{"ipv6", "2a00:1:2:3:4:5:6:7"}, {"ipv6", "fe80::1"},
	{"domain", "evil.example"}, {"domain", "c2.evil.example"}, {"domain", "a.b.c.evil.example"}, {"domain", "update-check.example"},
	{"domain", "bücher-c2.example"}, {"domain", "xn--mller-kva.example"}, {"domain", "under_score.example"}, {"domain", "files.example"},
	{"domain", "t.me"}, {"domain", "login.example"}, {"domain", "evil.github.io"}, {"domain", "k8s.example"}, {"domain", "1.2.evil-numbers.example"},
	{"url", "http://evil.example/gate.php"}, {"url", "https://web.example/a"}, {"url", "https://web.example/a/b?c=1"},
	{"url", "http://web.example:8443/pay,load.exe"}, {"url", "http://203.0.113.7:8080/x"}, {"url", "http://192.0.2.99/bins/arm7"},
	{"url", "http://[2001:db8:7::99]/six"}, {"url", "https://t.me/evilchannel"}, {"url", "https://raw.githubusercontent.com/evil/x/main/a.ps1"},
	{"url", "http://bücher-url.example/ü"}, {"url", "ftp://files.example/a(1).zip"}, {"url", "http://user:pw@account.example/p"},
	{"url", "http://dots.example/a/../b/./c"}, {"url", "https://UPPER.example/Path/File.EXE?Q=A"}, {"url", "http://query.example?x=1"},
	{"url", "ws://socket.example/ws"}, {"url", "http://dot-end.example./x."}, {"url", "http://encoded.example/%7Ea%2fb"},
	{"url", "http://quote.example/a'b;c"}, {"url", "http://default.example:80/"}, {"url", "http://bare.example"}, {"url", "http://twice.example/http://evil.example/x"},
	{"md5", "45c4710edc62df311612101b9160c7e1"}, {"md5", "d41d8cd98f00b204e9800998ecf8427e"}, {"md5", "00000000000000000000000000000000"},
	{"sha1", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, {"sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{"sha256", strings.Repeat("c0ffee00", 8)}, {"sha256", strings.Repeat("0123456789abcdef", 4)},
	{"sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
}

// odd makes up events that hold these indicators, or nearly so, in every place of Sysmon.
type odd struct{ *rand.Rand }

func (o odd) of(choices ...string) string { return choices[o.Intn(len(choices))] }
func (o odd) once(in int) bool            { return o.Intn(in) == 0 }

// indicator is one of these kinds, without the port or brackets of an address.
func (o odd) indicator(kinds ...string) string {
	for {
		found := oddIndicators[o.Intn(len(oddIndicators))]
		for _, kind := range kinds {
			if found[0] == kind {
				if kind == "ip:port" {
					if at, err := netip.ParseAddrPort(found[1]); err == nil {
						return at.Addr().String()
					}
				}
				return found[1]
			}
		}
	}
}

// cased is a text some of whose letters are in the other case.
func (o odd) cased(text string) string {
	switch o.Intn(4) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return strings.Map(func(c rune) rune {
			if o.once(2) {
				return []rune(strings.ToUpper(string(c)))[0]
			}
			return c
		}, text)
	}
	return text
}

// spaced is a text with a space around it now and then: U+00A0 is none of those.
func (o odd) spaced(text string) string {
	if !o.once(4) {
		return text
	}
	spaces := []string{" ", "\t", "\r\n", "  ", "\v", "\f", "", "", "\u00a0"}
	return o.of(spaces...) + text + o.of(spaces...)
}

func (o odd) address() string {
	text := o.indicator("ip:port", "ipv6")
	ip := netip.MustParseAddr(text)
	if ip.Is6() {
		wide := ip.As16()
		groups := make([]string, 8)
		for i := range groups {
			groups[i] = fmt.Sprintf(o.of("%x", "%04x", "%X"), int(wide[2*i])<<8|int(wide[2*i+1]))
		}
		return o.of(text, text, strings.ToUpper(text), strings.Join(groups, ":"), ip.StringExpanded(), "["+text+"]", text+"%eth0", text+"1")
	}
	b := ip.As4()
	hex := fmt.Sprintf(o.of("%02x%02x:%02x%02x", "%02X%02X:%02X%02X"), b[0], b[1], b[2], b[3])
	return o.of(text, text, text, text, "::ffff:"+text, "::FFFF:"+text, "::ffff:"+hex, "0:0:0:0:0:ffff:"+hex, "64:ff9b::"+hex, "64:FF9B::"+text,
		"64:ff9b:0:0:0:0:"+hex, "64:ff9b:1::"+hex, "::"+text, text+".", text+":443", text+"9", "0"+text, text[:len(text)-1], "1.1.1.1", "::1", "",
		"name evil.example", "type: 5 evil.example")
}

func (o odd) host() string {
	name := o.indicator("domain")
	if o.once(3) {
		name = o.of("web.example", "account.example", "bücher-url.example", "raw.githubusercontent.com", "upper.example", "quote.example", "192.0.2.99")
	}
	name = o.of(name, name, name, "www."+name, "a.b."+name, "x"+name, "x-"+name, name+".org", name+"x", "."+name, "a.."+name,
		strings.Replace(name, ".", "-", 1), strings.SplitN(name, ".", 2)[1], o.address(), "benign.example", "localhost", "-", "", "...",
		strings.Replace(name, "k", "\u212a", 1), strings.Replace(name, "ü", "u\u0308", 1), strings.Repeat("x.", o.Intn(140))+name)
	return o.spaced(o.cased(name) + o.of("", "", "", ".", "..", "...", ". ", ".\t."))
}

func (o odd) answers() string {
	var items []string
	for range o.Intn(5) {
		host := o.host()
		items = append(items, o.spaced(o.of(o.address(), o.address(), "type:  5 "+host, "type: 5 "+host, "type:5 "+host, "TYPE:  5\t"+host, "type:  5 "+host,
			"type:  5"+host, "type:  16 "+host, "type:  55 "+host, "type:  1 "+o.address(), "type:  28 "+o.address(), "type:  6 ", host, "-", "")))
	}
	return strings.Join(items, ";") + o.of(";", "", "; ")
}

func (o odd) hashes() string {
	var items []string
	for range o.Intn(5) {
		kind := o.of("md5", "sha1", "sha256")
		hex := o.cased(o.indicator(kind))
		name := o.cased(o.of(kind, kind, kind, "sha256", "imphash"))
		items = append(items, o.spaced(o.of(name+"="+hex, name+"="+hex, name+"="+hex, name+":"+hex, hex, name+" = "+hex, name+"= "+hex, name+"="+hex[:31],
			name+"=="+hex, name+hex, hex[:20]+" "+hex[20:], "x"+hex, hex+"-", "IMPHASH="+hex, name+"=", "")))
	}
	return strings.Join(items, o.of(",", ",", ", ", ",,", ";"))
}

func (o odd) url() string {
	url := o.indicator("url")
	if o.once(4) {
		url = o.of("http", "https", "HTTPS", "ftp", "wss", "x+y", "1http", "") + "://" + strings.TrimSpace(o.host()) + o.of("", "/", ":4443/x", ":443", ":/", ":80x", "?a", "\\x", "#f")
	}
	if o.once(4) {
		url = "http://" + o.of("203.0.113.7:4443", "203.0.113.7:8080", "198.51.100.23", "203.0.113.8:1", "www."+o.indicator("domain")) + "/other"
	}
	scheme, rest, _ := strings.Cut(url, "://")
	host, path := rest, ""
	if slash := strings.IndexAny(rest, "/?"); slash >= 0 {
		host, path = rest[:slash], rest[slash:]
	}
	port := o.of(":80", ":443", ":8080", ":4443", ":", ":00080", ":99999999")
	return o.of(url, url, url, strings.ToUpper(scheme)+"://"+o.cased(host)+path, scheme+"://"+host+"."+path, scheme+"://"+host+port+path,
		scheme+"://u:p@"+host+path, scheme+"://a@b@"+host+path, url+"#frag,ment", url+"/", url+"x", scheme+"://"+host+strings.ToUpper(path),
		scheme+"://"+host+"/./"+path, scheme+"://"+host+`\`+path, scheme+":/"+rest, "h"+url, url+`"`, url+"\u00a0x", scheme+"://["+o.address()+"]"+path,
		scheme+"://"+o.address()+path, url+":"+url, "https://"+url)
}

// text is a command line: URLs, names, addresses, shares, and what quotes or separates them.
func (o odd) text() string {
	var words []string
	for range 1 + o.Intn(4) {
		ip, host, url, port := o.address(), strings.TrimSpace(o.host()), o.url(), o.of("4443", "8080", "443", "80", "21", "444444", "4443.5", "")
		word := o.of(url, url, url, ip, host, host, ip+":"+port, ip+" "+port, ip+"\t \r\n"+port, "["+ip+"]:"+port, "["+ip+"]", host+":"+port, `\\`+host+`\share\x`,
			`\\`+ip+`@`+port+`\x`, `\\`+host+`@SSL\x`, `\\`+ip+`@ssl@`+port+`\DavWWWRoot`, "--url="+url, "user@"+host, "(iwr "+url+").x", "*."+host, host+"/path",
			url+";"+url, url+","+host, ip+","+ip, "cmd.exe", `C:\Windows\x.dll`, "-c", ip+"/24", ip+"-"+ip, host+"ſ", "é"+host, "…"+host+"…", "¿"+host)
		quote := o.of("", "", "", "'", `"`, "`", "|", "^")
		words = append(words, quote+word+o.of("", "", "", ".", ",", ";", ")", "}", "]", "!", "?", ":", "&", "*", "...", "'.", ">x")+quote)
	}
	return strings.Join(words, o.of(" ", " ", " ", "\t", "\n", "  ", "|", "=", "")) + o.of("", "", " ", "\r\n")
}

func (o odd) contents() string {
	space := o.of("  ", "\r\n", " ", "\n", "\t")
	return o.of("[ZoneTransfer]"+space, "", "x") + "ZoneId=3" + o.of(space, space, ",") +
		strings.Join([]string{o.of("ReferrerUrl=", "ReferrerUrl=", "referrerurl=", "XReferrerUrl=") + o.url(), o.of("HostUrl=", "HostUrl=", "HOSTURL=", "HostUrl= ") + o.spaced(o.url()),
			o.of("", "HostUrl="+o.url(), "HostUrl=about:internet")}, space)
}

// event is one of Sysmon's, or another provider's of the same number.
func (o odd) event() map[string]any {
	id := []int{1, 1, 1, 3, 3, 3, 3, 15, 15, 22, 22, 22, 6, 7, 23, 26, 27, 29, 5, 255}[o.Intn(20)]
	data := map[string]any{"Image": o.of(`C:\evil.exe`, `C:\x.exe`), "User": "NT AUTHORITY\\SYSTEM", "ProcessId": o.Intn(9000)}
	switch id {
	case 1:
		data["CommandLine"], data["Hashes"], data["ParentCommandLine"] = o.text(), o.hashes(), o.text()
	case 3:
		data["DestinationIp"], data["SourceIp"], data["DestinationHostname"] = o.spaced(o.address()), o.of("203.0.113.7", o.spaced(o.address()), o.spaced(o.address())), o.host()
		data["DestinationPort"], data["SourcePort"] = o.of("443", "4443", "8080", "80", "53", "x"), o.of("443", "4443", "8080", "80", " 4443")
		data["Initiated"], data["RuleName"] = o.of("true", "true", "false", "False", "0", "-", ""), o.of("-", "", "x")
		data["DestinationIsIpv6"] = o.of("true", "false", "True")
		if o.once(3) {
			b := netip.MustParseAddr(o.of("203.0.113.7", "198.51.100.23", "5.6.7.8", "8.8.4.4")).As4()
			damaged := fmt.Sprintf(o.of("%x%02x:%x%02x:", "%02X%02X:%02X%02X:"), b[0], b[1], b[2], b[3]) + o.of(":", "1:2:3:4:5:6", ":1", ":ffff:0", "0:0:0:0:0:0")
			data[o.of("DestinationIp", "SourceIp")] = o.spaced(damaged)
			data["DestinationIsIpv6"], data["DestinationHostname"] = o.of("true", "True"), o.of("-", "", "", "x.example", " ")
			if !o.once(4) {
				delete(data, "RuleName")
			}
		}
	case 15:
		data["Hash"], data["Contents"], data["TargetFilename"] = o.hashes(), o.contents(), `C:\x.exe:Zone.Identifier`
		if o.once(4) {
			data["Hashes"] = o.hashes()
		}
	case 22:
		data["QueryName"], data["QueryResults"], data["QueryStatus"] = o.host(), o.answers(), o.of("0", "9003")
	default:
		data["Hashes"], data["CommandLine"] = o.hashes(), o.text()
	}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		switch o.Intn(120) {
		case 0:
			delete(data, name)
		case 1:
			data[name] = nil
		case 2:
			data[name] = []string{fmt.Sprint(data[name]), o.address()}
		case 3:
			data[name] = o.Intn(70000)
		case 4:
			data[name] = ""
		}
	}
	event := map[string]any{"EventID": id, "EventData": data, "Computer": o.of("WS01.example.test", "WS02.example.test")}
	if o.once(25) {
		event["Provider"] = o.of("Linux-Sysmon", "Linux-Sysmon", "Microsoft-Windows-Kernel-General", "microsoft-windows-sysmon")
	}
	if o.once(60) {
		delete(event, "EventData")
	}
	return event
}

// oddEvents writes so many events as JSON lines, the same for the same seed. Lines has them by their record's number, from 1 on.
func (s *EngineSuite) oddEvents(seed int64, count int) (path string, lines []string) {
	o := odd{rand.New(rand.NewSource(seed))}
	lines = []string{""}
	for range count {
		line, err := json.Marshal(o.event())
		s.Require().NoError(err)
		lines = append(lines, string(line))
	}
	path = filepath.Join(s.T().TempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(path, []byte(strings.Join(lines[1:], "\n")+"\n"), 0o600))
	return path, lines
}
