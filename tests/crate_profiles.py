"""Holds the RO-Crate of a run directory to profiles, without a network: the one document that the validator asks for, the context
of RO-Crate 1.1, is that of the package rocrate.
usage: crate_profiles.py RUN_DIR PROFILE SEVERITY...      prints what is wrong; exit code 1 where something is
"""
import importlib.resources
import sys

import requests
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Bundled(requests.adapters.BaseAdapter):
    def send(self, request, **_):
        response = requests.Response()
        response.url, response.request = request.url, request
        if request.url == CONTEXT:
            response.status_code, response.headers["Content-Type"] = 200, "application/ld+json"
            response._content = importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
        else:
            print(f"asked for {request.url}")
            response.status_code, response._content = 404, b""
        return response

    def close(self):
        pass


def main():
    directory, profile, severity = sys.argv[1:]
    settings = services.ValidationSettings(
        rocrate_uri=directory, profile_identifier=profile, requirement_severity=models.Severity[severity], no_cache=True)
    # After the settings, which make the session anew.
    for scheme in ("https://", "http://"):
        HttpRequester().session.mount(scheme, Bundled())
    result = services.validate(settings)
    checks = result.executed_checks
    issues = result.get_issues()
    print(f"{profile}, {severity}: {len(checks)} checks, {len(issues)} issues")
    for issue in issues:
        print(f"{issue.severity.name} {issue.check.identifier}: {issue.message} ({issue.violatingEntity})")
    sys.exit(bool(issues))


if __name__ == "__main__":
    main()
