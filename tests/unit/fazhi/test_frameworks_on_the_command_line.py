"""`fazhi frameworks` as an operator types it: a version goes out, comes back as a draft, and is compared."""

import pytest
import yaml
from typer.testing import CliRunner

from fazhi.cli import app
from kernel.errors import Invalid
from tests.support.stores import built, sqlite_runtime


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FAZHI_DATA", str(tmp_path))
    runtime = sqlite_runtime(tmp_path)
    built(runtime, "services.assessment").prepare()
    runtime.close()
    return tmp_path


def fazhi(*words):
    done = CliRunner().invoke(app, ["frameworks", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def exported(folder, name="demonstration-city-county@1"):
    path = folder / "out.yaml"
    fazhi("export", name, path)
    return path, yaml.load(path.read_text(), yaml.CSafeLoader)


def test_every_version_is_listed_with_its_state(folder):
    said = fazhi("list")
    assert "outline-2015-2020@1  已发布" in said
    assert said.count("已发布") == 3


def test_what_was_exported_comes_back_as_a_draft_with_its_difference(folder):
    path, document = exported(folder)
    document["version"] = "2"
    document["nodes"][0]["title"] = "政府职能"
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True))
    checked = fazhi("import", path, "--check")
    assert "检查通过，未保存" in checked
    assert "@2" not in fazhi("list")
    assert "S1“政府职能”的名称由“政府职能依法全面履行”改为“政府职能”。" in fazhi("import", path)
    assert "demonstration-city-county@2  草案" in fazhi("list")


def test_a_workbook_is_an_export_too_and_a_version_differs_from_itself_in_nothing(folder):
    path = folder / "out.xlsx"
    fazhi("export", "composite-50-30-20@1", path)
    assert path.read_bytes().startswith(b"PK")
    assert "共 0 处变更" in fazhi("diff", "composite-50-30-20@1", "1")


def test_a_file_with_faults_is_refused_with_its_lines(folder):
    path, document = exported(folder)
    path.write_text(yaml.dump({**document, "version": "2", "year": 1}, Dumper=yaml.CSafeDumper))
    with pytest.raises(Invalid) as refused:
        fazhi("import", path, "--check")
    (problem,) = refused.value.problems
    line = int(problem.path.rsplit(":", 1)[1])
    assert path.read_text().splitlines()[line - 1] == "year: 1"
