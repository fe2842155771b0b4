//! `wire ca`: the certificate authority of the recorder.

use std::path::{Path, PathBuf};

use super::args::{AuthorityArgs, CaArgs, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::{env, output};
use crate::record::ca;
use crate::render::authority::{self, AuthorityView};

/// Runs `wire ca`.
pub(super) fn run(common: &CommonArgs, args: &CaArgs) -> Result<ExitReason, CliError> {
    let folder = authority_folder(&args.authority)?;
    if args.remove {
        return remove(&folder);
    }
    let path = ca::certificate_path(&folder);
    let certificate = ca::read_certificate(&folder).map_err(|error| {
        CliError::usage(error)
            .with_hint("`wire ca --remove` removes it; the next recording makes another one")
    })?;
    let view = AuthorityView {
        path: &path.display().to_string(),
        certificate: certificate.as_ref(),
    };
    let mut text = Vec::new();
    let written = match args.json {
        true => authority::write_json(&view, &mut text),
        false => authority::write_report(&view, &output::stdout_style(common), &mut text),
    };
    written.map_err(CliError::usage)?;
    match args.json {
        true => output::write_stdout(&text),
        false => output::print_report(&text),
    }
}

fn remove(folder: &Path) -> Result<ExitReason, CliError> {
    let removed = ca::remove(folder).map_err(CliError::usage)?;
    let folder = folder.display();
    let text = match removed {
        true => format!(
            "removed the certificate authority in {folder}\n\
             a system or program that you made trust it still does: remove it there too\n"
        ),
        false => format!("there is no certificate authority in {folder}\n"),
    };
    output::write_stdout(text.as_bytes())
}

/// Returns the folder of the certificate authority: `--ca-dir`, or else the user's data folder by the XDG Base Directory
/// Specification.
pub(super) fn authority_folder(args: &AuthorityArgs) -> Result<PathBuf, CliError> {
    if let Some(folder) = &args.ca_dir {
        return Ok(folder.clone());
    }
    let data = env::path("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(env::path("HOME")?.join(".local/share")));
    let data = data.ok_or_else(|| {
        CliError::usage("neither XDG_DATA_HOME nor HOME is set")
            .with_hint("name the folder of the certificate authority with --ca-dir DIR")
    })?;
    Ok(data.join("wire").join("ca"))
}
