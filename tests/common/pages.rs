//! Whether a page is well formed, reaches beyond itself, and what a browser says about it.

use std::path::Path;
use std::process::Command;

/// Elements that HTML has without a content. They are written as XML has them.
const EMPTY: [&str; 2] = ["meta", "input"];

/// A tag of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The opening tags of a page, or the first thing that is not well-formed XML (the document type aside).
pub fn tags(page: &str) -> Result<Vec<Tag>, String> {
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
pub fn references(page: &str) -> Vec<String> {
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

/// What a browser says about a page, and the page as the script leaves it; `None` without one.
pub fn browse(page: &Path) -> Option<(Vec<String>, String)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|directory| directory.join("chromium").is_file()) {
        eprintln!("skipped: chromium is not installed");
        return None;
    }
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
    Some((said, String::from_utf8_lossy(&output.stdout).into_owned()))
}
