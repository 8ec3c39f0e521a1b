import shutil
from fleet_sim.report.html import write_html
def test_draft(write_run, make_point, silent_point):
    shutil.copy(write_html(write_run()), "/tmp/wc/report.html")
    shutil.copy(write_html(write_run([make_point(0, {}, 1000, 100_000)], update=False, name="one")), "/tmp/wc/report1.html")
    pts=[make_point(i, {"control.controller": c, "serving.deadline_us": d}, 1000, 100_000) for i,(c,d) in enumerate((c,d) for c in ("budget","fixed") for d in (200_000,500_000,1_000_000))]
    pts.append(silent_point(6, {"control.controller": "fixed", "serving.deadline_us": 2_000_000}))
    shutil.copy(write_html(write_run(pts, name="odd")), "/tmp/wc/report2.html")
