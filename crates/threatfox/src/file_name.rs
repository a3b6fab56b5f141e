//! Names of files, which look like hosts: `loader.dll`.

/// What files end with and no host does, in order. Endings that are top-level domains too, such as `com`, `zip`, `sh` and `py`, are
/// not here.
const EXTENSIONS: [&str; 108] = [
    "7z", "apk", "ashx", "asp", "aspx", "bak", "bat", "bin", "bmp", "bz2", "cfg", "chm", "class",
    "cmd", "conf", "cpl", "css", "csv", "dat", "deb", "dll", "dmg", "dmp", "doc", "docm", "docx",
    "dotm", "drv", "dylib", "elf", "eml", "exe", "gif", "gz", "hta", "htm", "html", "ico", "img",
    "inf", "ini", "iso", "jar", "jpeg", "jpg", "js", "jse", "json", "jsp", "lnk", "log", "mht",
    "mp3", "mp4", "msg", "msi", "msix", "msp", "mui", "ocx", "pdb", "pdf", "php", "pif", "pkg",
    "png", "ppam", "ppt", "pptm", "pptx", "ps1", "psd1", "psm1", "pyc", "rar", "reg", "rpm", "rtf",
    "scr", "sql", "sqlite", "svg", "swf", "sys", "tar", "tgz", "tmp", "ttf", "txt", "url", "vbe",
    "vbs", "vhd", "vhdx", "wav", "woff", "wsf", "wsh", "xlam", "xll", "xls", "xlsb", "xlsm",
    "xlsx", "xml", "xz", "yaml", "yml",
];

/// The extension of a name that can only be a file's.
#[must_use]
pub fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let lower = || extension.bytes().map(|b| b.to_ascii_lowercase());
    let known = EXTENSIONS.binary_search_by(|known| known.bytes().cmp(lower()));
    (known.is_ok() && !stem.is_empty()).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_end_with_is_known_in_any_case() {
        for (name, expected) in [
            ("svchost.exe", Some("exe")),
            ("Loader.DLL", Some("DLL")),
            ("run.ps1", Some("ps1")),
            ("a.b.js", Some("js")),
            ("evil.example", None),
            ("command.com", None),
            ("archive.zip", None),
            ("setup.py", None),
            ("exe", None),
            (".exe", None),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
    }

    #[test]
    fn no_extension_is_a_top_level_domain_and_they_are_in_order() {
        assert!(EXTENSIONS.is_sorted());
        for extension in EXTENSIONS {
            let known = psl::suffix(extension.as_bytes()).is_some_and(|suffix| suffix.is_known());
            assert!(!known, "{extension}");
        }
    }
}
