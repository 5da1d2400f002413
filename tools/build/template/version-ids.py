"""Asks SAM's own translator which version of the function each of these deployments publishes.

    python3 -m venv /tmp/sam && /tmp/sam/bin/pip install aws-sam-translator
    /tmp/sam/bin/python tools/template/version-ids.py > test/fixtures/sam/version-ids.json

CloudFormation publishes a version when the logical id of its resource changes, and leaves "live" alone otherwise. Run it
again when the function's part of template.yaml changes; tests hold the record against what "npm run deploy" passes.
"""

import json
import os
import pathlib

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

import samtranslator
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = {"Environment": "staging", "UserPoolId": "eu-central-1_AbC123", "UserPoolClientIds": "abc"}


class NoPolicies:
    def load(self):
        return {}


def version_id(code, parameters):
    """The logical id of the version: `code` is the key of the package in S3, which SAM names after its hash."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    template["Resources"]["Backend"]["Properties"]["CodeUri"] = f"s3://packages/{code}"
    resources = transform(template, {**ACCOUNT, **parameters}, NoPolicies())["Resources"]
    [version] = [name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Version"]
    assert resources["BackendAliaslive"]["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    return version


ONE, OTHER = "1" * 64, "2" * 64
CASES = [
    ("first", {"code": "a", "parameters": {"VersionSha256": ONE}}),
    ("the same again", {"code": "a", "parameters": {"VersionSha256": ONE}}),
    ("another hash, the same code", {"code": "a", "parameters": {"VersionSha256": OTHER}}),
    ("the same hash, other code", {"code": "b", "parameters": {"VersionSha256": ONE}}),
    ("no hash", {"code": "a", "parameters": {"VersionSha256": ""}}),
    ("no hash, other code", {"code": "b", "parameters": {"VersionSha256": ""}}),
    ("no hash, other settings", {"code": "a", "parameters": {"VersionSha256": "", "ClaimProof": "optional"}}),
]
print(
    json.dumps(
        {
            "translator": samtranslator.__version__,
            "cases": [{"name": name, **case, "version_id": version_id(**case)} for name, case in CASES],
        },
        indent=2,
    )
)
