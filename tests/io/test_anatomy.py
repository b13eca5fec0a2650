"""Codes say what a name says, and nothing of a name that is not known."""

import numpy as np
import pydicom
import pytest

import voxtrail.io as vio
from tests.io import series
from voxtrail.core.volume import LabelMap
from voxtrail.io.anatomy import TISSUE, anatomy_of

#: TotalSegmentator's 117 classes of version 2 that have no number, and those of version 1 that
#: version 2 dropped; without the side where there are two.
SOFT = {
    "spleen": "78961009", "gallbladder": "28231008", "liver": "10200004", "stomach": "69695003",
    "pancreas": "15776009", "esophagus": "32849002", "trachea": "44567001",
    "thyroid_gland": "69748006", "small_bowel": "30315005", "duodenum": "38848004",
    "colon": "71854001", "urinary_bladder": "89837001", "prostate": "41216001",
    "heart": "80891009", "aorta": "15825003", "pulmonary_vein": "122972007",
    "pulmonary_artery": "81040000", "brachiocephalic_trunk": "12691009",
    "superior_vena_cava": "48345005", "inferior_vena_cava": "64131007",
    "portal_vein_and_splenic_vein": "110765007", "spinal_cord": "2748008", "brain": "12738006",
    "heart_myocardium": "74281007", "heart_atrium_left": "82471001",
    "heart_atrium_right": "73829009", "heart_ventricle_left": "87878005",
    "heart_ventricle_right": "53085002", "atrial_appendage_left": "33626005",
    "lung_middle_lobe_right": "72481006", "face": "89545001", "costal_cartilages": "50016007",
}  # fmt: skip
PAIRED = {
    "kidney": "64033007", "adrenal_gland": "23451007", "lung_upper_lobe": "45653009",
    "lung_lower_lobe": "90572001", "subclavian_artery": "36765005",
    "common_carotid_artery": "32062004", "brachiocephalic_vein": "8887007",
    "iliac_artery": "73634005", "iliac_vena": "46027005", "gluteus_maximus": "181674001",
    "gluteus_medius": "78333006", "gluteus_minimus": "75297007", "autochthon": "244849004",
    "iliopsoas": "68455001", "humerus": "85050009", "scapula": "79601000",
    "clavicula": "51299004", "femur": "71341001", "hip": "272673000",
}  # fmt: skip
BONES = {"sacrum": "54735007", "skull": "89546000", "sternum": "56873002", "radius": "62413002"}
SIDES = {"left": "7771000", "right": "24028007"}


@pytest.mark.parametrize(("name", "code"), [*SOFT.items(), *BONES.items()])
def test_a_structure_has_its_own_code(name, code):
    found = anatomy_of(name)
    assert (found.kind.value, found.kind.scheme, found.side) == (code, "SCT", None)
    assert found.category.meaning == "Anatomical Structure"


@pytest.mark.parametrize(("name", "code"), PAIRED.items())
@pytest.mark.parametrize("side", SIDES)
def test_a_pair_has_its_code_and_side(name, code, side):
    for spelled in (f"{name}_{side}", f"{side.capitalize()} {name.replace('_', ' ')}"):
        found = anatomy_of(spelled)
        assert found.side is not None
        assert (found.kind.value, found.side.value) == (code, SIDES[side])


def test_ribs_and_vertebrae_have_theirs_each():
    ribs = {anatomy_of(f"rib_left_{n}").kind.value for n in range(1, 13)}
    levels = [f"C{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 13)]
    levels += [f"L{n}" for n in range(1, 6)] + ["S1"]
    kinds = [anatomy_of(f"vertebrae_{level}").kind for level in levels]
    assert len(ribs) == 12
    assert [kind.meaning for kind in kinds] == [f"{level} vertebra" for level in levels]
    assert len({kind.value for kind in kinds}) == len(levels)
    # Bones of a number that nobody has one of are bones all the same.
    assert anatomy_of("rib_left_13").kind.meaning == anatomy_of("vertebrae_T13").kind.meaning
    assert anatomy_of("rib_left_13").kind.meaning == "Bone"


def test_a_cyst_is_in_its_kidney():
    found = anatomy_of("kidney_cyst_left")
    assert (found.kind.meaning, found.category.meaning) == (
        "Cyst",
        "Morphologically Altered Structure",
    )
    assert (found.region.meaning, found.side.meaning) == ("Kidney", "Left")


@pytest.mark.parametrize("name", ["7", "drawn by hand", "", "left", "Läsion", "tumor_2", "codes"])
def test_an_unknown_name_is_tissue_and_never_bone(name):
    found = anatomy_of(name)
    assert (found.kind, found.category, found.side) == (TISSUE, TISSUE, None)


def test_files_carry_it_into_the_archive(tmp_path):
    pytest.importorskip("highdicom", reason="voxtrail[dicom]")
    scan = vio.read(series.save(series.classic(), tmp_path / "ct"))
    voxels = np.zeros(scan.stored.shape, np.uint8)
    names = {1: "liver", 2: "kidney_cyst_left", 3: "mine"}
    for label in names:
        voxels[2 * label : 2 * label + 2, 3:7, 2:4] = label
    labels = LabelMap.from_stored(voxels, scan.stored.affine, names, scan.provenance)
    vio.write(labels, tmp_path / "a.dcm")
    vio.write(labels, tmp_path / "a.rtstruct.dcm")
    vio.write(labels, tmp_path / "a.seg.nrrd")
    liver, cyst, mine = pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Liver"
    assert mine.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Tissue"
    assert mine.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Tissue"
    (region,) = cyst.AnatomicRegionSequence
    assert region.CodeMeaning == "Kidney"
    assert region.AnatomicRegionModifierSequence[0].CodeMeaning == "Left"
    observed = pydicom.dcmread(tmp_path / "a.rtstruct.dcm").RTROIObservationsSequence
    kinds = [one.RTROIIdentificationCodeSequence[0].CodeMeaning for one in observed]
    assert kinds == ["Liver", "Cyst", "Tissue"]
    header = (tmp_path / "a.seg.nrrd").read_bytes().partition(b"\n\n")[0].decode()
    assert "SCT^123037004^Anatomical Structure~SCT^10200004^Liver" in header
    assert "SCT^85756007^Tissue~SCT^85756007^Tissue" in header
    assert "SCT^64033007^Kidney~SCT^7771000^Left" in header
    assert "Bone" not in header
