//! SAMPLE.qc.html: complete, well formed, harmless whatever the input's names are, and at rest without a network.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::*;

/// Elements that HTML has without a content. They are written as XML has them.
const EMPTY: [&str; 2] = ["meta", "input"];

/// A tag of a page.
#[derive(Clone, Debug, PartialEq)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The opening tags of a page, or the first thing that is not well-formed XML (the document type aside).
fn tags(page: &str) -> Result<Vec<Tag>, String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").ok_or("no document type")?;
    let (mut found, mut open): (Vec<Tag>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at])?;
        rest = &rest[at + 1..];
        let end = rest.find('>').ok_or("a tag does not end")?;
        let (inner, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = inner.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (inner, is_closed) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let tag = tag(inner)?;
        if EMPTY.contains(&tag.name.as_str()) && !is_closed {
            return Err(format!("<{inner}> is not closed"));
        }
        if tag.name == "style" || tag.name == "script" {
            // Not markup: up to its end.
            let end = rest.find(&format!("</{}>", tag.name)).ok_or("style or script does not end")?;
            rest = &rest[end..];
        }
        if !is_closed {
            open.push(tag.name.clone());
        }
        found.push(tag);
    }
    check_text(rest)?;
    if open.is_empty() { Ok(found) } else { Err(format!("not closed: {open:?}")) }
}

/// `name key="value" ...`.
fn tag(inner: &str) -> Result<Tag, String> {
    let wrong = || format!("<{inner}>");
    let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(wrong());
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"").ok_or_else(wrong)?;
        let (value, after) = after.split_once('"').ok_or_else(wrong)?;
        check_text(value)?;
        let is_name = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if key.is_empty() || !is_name || attributes.iter().any(|(seen, _)| seen == key) {
            return Err(wrong());
        }
        attributes.push((key.to_owned(), value.to_owned()));
        rest = match after.strip_prefix(' ') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return Err(wrong()),
        };
    }
    Ok(Tag { name: name.to_owned(), attributes })
}

/// Text has no sign of markup but entities.
fn check_text(text: &str) -> Result<(), String> {
    if text.contains(['<', '>']) {
        return Err(format!("< or > in text: {text:?}"));
    }
    let entities = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    match text.split('&').skip(1).find(|part| !entities.iter().any(|entity| part.starts_with(entity))) {
        Some(part) => Err(format!("no entity: &{part}")),
        None => Ok(()),
    }
}

/// What makes a page reach beyond itself; empty where nothing does.
fn references(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["http:", "https:", "//", "url(", "@import", "fetch(", "XMLHttpRequest", "import("] {
        // Comments of the script begin with two slashes, and a space.
        let mut places =
            page.match_indices(word).filter(|(at, _)| word != "//" || !page[at + 2..].starts_with(' '));
        if let Some((at, _)) = places.next() {
            found.push(page[at..].chars().take(40).collect());
        }
    }
    for tag in tags(page).expect("well formed") {
        for (key, value) in &tag.attributes {
            let leads = ["href", "src", "srcset", "action", "data", "poster", "xlink", "background"];
            if leads.contains(&key.as_str()) && !(key == "href" && value.starts_with('#')) {
                found.push(format!("{key}={value}"));
            }
            if key.starts_with("on") || key == "style" {
                found.push(format!("{key}={value}"));
            }
        }
        if ["link", "iframe", "object", "embed", "img", "base", "form", "video"].contains(&tag.name.as_str())
        {
            found.push(format!("<{}>", tag.name));
        }
    }
    found
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The page of the sample genome's child, with everything that can be measured.
fn demo(directory: &Path) -> PathBuf {
    let file = |name: &str| root().join(name);
    let (genome, sites) = (file("testdata/genome.fa"), file("testdata/sites.vcf.gz"));
    let (targets, baits) = (file("testdata/targets.bed"), file("testdata/baits.bed"));
    let (thresholds, input) = (file("examples/thresholds.demo.toml"), file("testdata/child.bam"));
    let capture = ["--targets", path(&targets), "--baits", path(&baits)];
    let arguments =
        ["qc", "-q", "-r", path(&genome), "--sites", path(&sites), "--thresholds", path(&thresholds)];
    norn_ok(&[&arguments[..], &capture, &["-o", path(directory), path(&input)]].concat());
    directory.join("child.qc.html")
}

#[test]
fn the_page_is_complete_and_needs_nothing_else() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let page = text(&demo(directory.path()));
    let tags = tags(&page).expect("well formed");
    assert_eq!(references(&page), [""; 0]);
    assert!(page.len() < 400_000, "{} bytes", page.len());

    let has_id = |id: &str| tags.iter().any(|tag| tag.get("id") == Some(id));
    for id in [
        "plot-coverage",
        "plot-coverage-cumulative",
        "plot-depth",
        "plot-depth-by-contig",
        "plot-target_coverage",
        "plot-target_coverage-cumulative",
        "plot-insert_size",
        "plot-mean_quality_by_cycle",
        "plot-bases_by_cycle",
        "plot-quality_distribution",
        "plot-gc_bias",
    ] {
        assert!(has_id(id), "there is no {id}");
    }
    // All that the document has is on the page.
    let json = text(&directory.path().join("child.qc.json"));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let keys = |part: &str| json[part].as_object().expect("object").keys().cloned().collect::<Vec<_>>();
    for curve in keys("histograms") {
        assert!(has_id(&format!("plot-{curve}")), "the curve {curve} is not drawn");
    }
    for figure in keys("figures") {
        assert!(has_id(&format!("f-{figure}")), "the figure {figure} has no row");
    }
    for check in json["thresholds"].as_array().expect("array") {
        assert!(page.contains(check["key"].as_str().expect("key")));
    }
    for part in [
        "<bdi>child</bdi>",
        "norn sample genome",
        "version 1",
        ">Targets<",
        ">WARN<",
        "6.15 % is above 5 %",
        "child.L3",
    ] {
        assert!(page.contains(part), "there is no {part}");
    }
    assert!(!page.contains(env!("CARGO_PKG_VERSION")), "the version varies between runs on the same input");

    // Links lead to what is there; ids are used once.
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    for tag in &tags {
        if let Some(id) = tag.get("href").and_then(|href| href.strip_prefix('#')) {
            assert!(ids.contains(&id), "#{id} is not there");
        }
    }
    let once: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(once.len(), ids.len());

    // For those who do not see it.
    for tag in &tags {
        match tag.name.as_str() {
            "html" => assert_eq!(tag.get("lang"), Some("en")),
            "th" => assert!(tag.get("scope").is_some(), "{tag:?}"),
            "svg" => {
                let is_part = tag.get("viewBox").is_none();
                let is_told = tag.get("aria-label").is_some_and(|label| !label.is_empty());
                assert!(is_part || is_told || tag.get("aria-hidden") == Some("true"), "{tag:?}");
            }
            _ => {}
        }
    }
    assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1);
}

#[test]
fn names_of_the_input_are_text_and_nothing_more() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("input");
        path
    };
    let evil = "<script>alert(1)<!--\"'&amp;<img src=x onerror=alert(1)>";
    let sam = format!(
        "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:a{evil}\tLN:1000\n@SQ\tSN:b{evil}\tLN:1000\n\
         @RG\tID:{evil}\tSM:{evil}\tLB:{evil}\tPL:{evil}\tPU:{evil}\n\
         r1\t0\ta{evil}\t50\t60\t5M\t*\t0\t0\tACGTA\tIIIII\n"
    );
    let input = file("x.sam", &sam);
    let toml = format!(
        "assay = '''{evil}'''\nversion = '''{evil}'''\n[[metric]]\nkey = \"stats.percent_mapped\"\nwarn_below = 1.0\n\
         note = '''{evil}'''\n"
    );
    let thresholds = file("t.toml", &toml);
    let out = directory.path().join("out");
    norn_ok(&["qc", "-q", "--thresholds", path(&thresholds), "-o", path(&out), path(&input)]);
    let page = text(&out.join(format!("{evil}.qc.html")));
    let tags = tags(&page).expect("well formed");
    assert_eq!(references(&page), [""; 0]);
    assert_eq!(tags.iter().filter(|tag| tag.name == "script").count(), 1);
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    // In the title, the head, the footer, two contigs twice, five columns of the read group, assay, version and note.
    assert!(page.matches("&lt;script&gt;alert(1)&lt;!--&quot;&#39;&amp;amp;").count() >= 14, "{page}");
}

#[test]
fn what_is_not_measured_is_said() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let input = root().join("testdata/child.bam");
    for (options, there, not_there) in [
        (&[][..], "no thresholds given", "plot-gc_bias"),
        (&["--collectors", "flagstat"], "Nothing was measured that could be drawn", "plot-depth"),
    ] {
        let arguments = [&["qc", "-q", "-o", path(directory.path())], options, &[path(&input)]].concat();
        norn_ok(&arguments);
        let page = text(&directory.path().join("child.qc.html"));
        tags(&page).expect("well formed");
        assert!(
            page.contains(there) && page.contains("not measured") && !page.contains(not_there),
            "{options:?}"
        );
    }
}

/// What a browser says about a page, and the page as the script leaves it.
fn browse(page: &Path) -> (Vec<String>, String) {
    let profile = tempfile::tempdir().expect("temporary directory");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (said, String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_browser_has_nothing_to_say() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|directory| directory.join("chromium").is_file()) {
        eprintln!("skipped: chromium is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let page = demo(directory.path());
    let (said, seen) = browse(&page);
    assert_eq!(said, [""; 0]);
    // The script ran: what the stripes show has been taken from their titles.
    assert!(
        seen.contains("<html lang=\"en\" class=\"js\">") && seen.contains("data-tip=\"depth 6x"),
        "{seen}"
    );
    assert!(!seen.contains("<title>depth"));
    // Another script does not run, and the browser says so: neither check passes by itself.
    let more = text(&page).replace("</body>", "<script>document.title = 'changed'</script></body>");
    fs::write(&page, more).expect("page");
    let (said, seen) = browse(&page);
    assert!(said.iter().any(|line| line.contains("Content Security Policy")), "{said:?}");
    assert!(!seen.contains("<title>changed"));
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let page = |body: &str| format!("<!DOCTYPE html>\n<html lang=\"en\"><body>{body}</body></html>");
    for (body, is_well_formed) in [
        ("<p>a &amp; b</p>", true),
        ("<p title=\"x &lt; y\">a<meta charset=\"utf-8\"/></p>", true),
        ("<script>a < b && c</script>", true),
        ("<p>a & b</p>", false),
        ("<p>a > b</p>", false),
        ("<p>", false),
        ("<p></div>", false),
        ("</p>", false),
        ("<p title=x></p>", false),
        ("<p title=\"a\" title=\"b\"></p>", false),
        ("<p title=\"a\"b></p>", false),
        ("<meta charset=\"utf-8\">", false),
        ("<p", false),
    ] {
        assert_eq!(tags(&page(body)).is_ok(), is_well_formed, "{body}");
    }
    for (body, is_alone) in [
        ("<a href=\"#x\">x</a>", true),
        ("<a href=\"other.html\">x</a>", false),
        ("<img src=\"data:,\"/>", false),
        ("<p>http://example.org</p>", false),
        ("<script>fetch('x')</script>", false),
        ("<style>a { background: url(x) }</style>", false),
        ("<p onclick=\"x()\">x</p>", false),
        ("<p style=\"x\">x</p>", false),
    ] {
        assert_eq!(references(&page(body)).is_empty(), is_alone, "{body}");
    }
}
