//! SAMPLE.qc.html: complete, well formed, harmless whatever the input's names are, and at rest without a network.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::pages::{browse, references, tags};
use common::*;

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

#[test]
fn a_browser_has_nothing_to_say() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let page = demo(directory.path());
    let Some((said, seen)) = browse(&page) else { return };
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
    let (said, seen) = browse(&page).expect("a browser");
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
