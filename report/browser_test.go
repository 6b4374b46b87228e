package report_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/fragplan/fragplan/report"
)

// frame shows the page in a window of 400 pixels and writes down what a person
// would see of it.
const frame = `<!doctype html><iframe id=f src=/page width=400 height=900></iframe><pre id=seen></pre><script>
addEventListener('load', () => {
  const d = document.getElementById('f').contentDocument
  const bars = [...d.querySelectorAll('.weeks i')].map(b => b.getBoundingClientRect())
  const shares = [...d.querySelectorAll('.bar i')].map(b => b.getBoundingClientRect())
  document.getElementById('seen').textContent = JSON.stringify({
    width: d.documentElement.scrollWidth,
    weeks: bars.length, tallest: Math.max(...bars.map(b => b.height)), thinnest: Math.min(...bars.map(b => b.width)),
    shares: shares.length, longest: Math.max(...shares.map(b => b.width)),
    scripts: d.scripts.length,
    dark: matchMedia('(prefers-color-scheme: dark)').matches, page: getComputedStyle(d.body).backgroundColor,
  })
})
</script>`

// In a real browser the page draws its charts, fits a phone, follows the dark
// mode, asks for nothing else and has nothing to complain of.
func TestThePageInABrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium here: the page is tried with make browser")
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			_, _ = w.Write([]byte(frame))
		case "/page":
			_ = report.SpendingHTML(w, year(t))
		case "/favicon.ico": // of the frame
		default:
			asked = append(asked, r.URL.Path)
		}
	}))
	defer server.Close()
	for _, mode := range []struct {
		name, flag, background string
		dark                   bool
	}{
		{"light", "--blink-settings=preferredColorScheme=1", "rgb(246, 247, 249)", false},
		{"dark", "--blink-settings=preferredColorScheme=0", "rgb(16, 19, 23)", true},
	} {
		t.Run(mode.name, func(t *testing.T) {
			c := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--user-data-dir="+t.TempDir(), mode.flag, "--virtual-time-budget=5000", "--dump-dom", server.URL)
			var said bytes.Buffer
			c.Stderr = &said
			dom, err := c.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &said)
			}
			var seen struct {
				Width, Weeks, Shares, Scripts int
				Tallest, Thinnest, Longest    float64
				Dark                          bool
				Page                          string
			}
			text := regexp.MustCompile(`<pre id="seen">(.*)</pre>`).FindSubmatch(dom)
			if text == nil {
				t.Fatalf("the browser shows\n%s", dom)
			}
			if err := json.Unmarshal(text[1], &seen); err != nil {
				t.Fatal(err)
			}
			if seen.Width > 400 {
				t.Errorf("at 400 pixels the page is %d wide", seen.Width)
			}
			if seen.Weeks != 53+53 || seen.Tallest < 150 || seen.Thinnest < 2 || seen.Shares == 0 || seen.Longest < 200 {
				t.Errorf("the charts are not drawn: %+v", seen)
			}
			if seen.Scripts != 0 || seen.Dark != mode.dark || seen.Page != mode.background {
				t.Errorf("scripts or colours: %+v", seen)
			}
			for line := range strings.Lines(said.String()) {
				if strings.Contains(line, "CONSOLE") {
					t.Errorf("the console says: %s", line)
				}
			}
		})
	}
	if len(asked) > 0 {
		t.Errorf("the page asked for %v", asked)
	}
}
