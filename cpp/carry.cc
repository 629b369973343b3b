#include "carry.h"

#include <cstddef>

namespace taskworlds {
namespace {

bool is_mocap(const mjModel& m, int body) { return m.body_mocapid[body] >= 0; }

bool collides(const mjModel& m, int geom) {
  if (m.geom_contype[geom] != 0 || m.geom_conaffinity[geom] != 0) return true;
  for (int pair = 0; pair < m.npair; ++pair) {
    if (m.pair_geom1[pair] == geom || m.pair_geom2[pair] == geom) return true;
  }
  return false;
}

// Whether an actuator works at a site.
bool moves(const mjModel& m, int site) {
  for (int i = 0; i < m.nu; ++i) {
    const int type = m.actuator_trntype[i];
    const bool at_sites = type == mjTRN_SITE || type == mjTRN_SLIDERCRANK;
    if (at_sites && (m.actuator_trnid[2 * i] == site || m.actuator_trnid[2 * i + 1] == site)) return true;
  }
  return false;
}

// Whether physics depends on a mocap body by more than the constraints that hold on to its frame.
bool is_built_upon(const mjModel& m, int body) {
  if (m.body_jntnum[body] != 0) return true;
  for (int other = 1; other < m.nbody; ++other) {
    if (m.body_parentid[other] == body) return true;
  }
  for (int site = 0; site < m.nsite; ++site) {
    if (m.site_bodyid[site] == body && moves(m, site)) return true;
  }
  for (int i = 0; i < m.body_geomnum[body]; ++i) {
    if (collides(m, m.body_geomadr[body] + i)) return true;
  }
  return m.nwrap > 0;  // a tendon may go around its geoms, or through its sites
}

// What mj_kinematics does for a mocap body without joints and children.
void place(const mjModel* m, mjData* d, int body) {
  const int mocap = m->body_mocapid[body];
  mjtNum quat[4];
  mju_copy3(d->xpos + 3 * body, d->mocap_pos + 3 * mocap);
  mju_copy4(quat, d->mocap_quat + 4 * mocap);
  mju_normalize4(quat);
  mju_normalize4(quat);  // as MuJoCo does, once for the mocap pose and once for every body: it can change a last digit
  mju_copy4(d->xquat + 4 * body, quat);
  mju_quat2Mat(d->xmat + 9 * body, quat);
  mj_local2Global(d, d->xipos + 3 * body, d->ximat + 9 * body, m->body_ipos + 3 * body, m->body_iquat + 4 * body, body,
                  m->body_sameframe[body]);
  for (int i = 0; i < m->body_geomnum[body]; ++i) {
    const int geom = m->body_geomadr[body] + i;
    mj_local2Global(d, d->geom_xpos + 3 * geom, d->geom_xmat + 9 * geom, m->geom_pos + 3 * geom, m->geom_quat + 4 * geom,
                    body, m->geom_sameframe[geom]);
  }
  for (int site = 0; site < m->nsite; ++site) {
    if (m->site_bodyid[site] != body) continue;
    mj_local2Global(d, d->site_xpos + 3 * site, d->site_xmat + 9 * site, m->site_pos + 3 * site, m->site_quat + 4 * site,
                    body, m->site_sameframe[site]);
  }
}

}  // namespace

bool can_carry(const mjModel& m) {
  if (m.opt.integrator != mjINT_EULER) return false;
  if ((m.opt.enableflags & ~mjENBL_MULTICCD) != 0) return false;  // islands, energy, a comparison with inverse dynamics
  if (m.nplugin != 0 || m.nflex != 0) return false;
  for (int body = 1; body < m.nbody; ++body) {
    if (is_mocap(m, body) && is_built_upon(m, body)) return false;
  }
  return true;
}

void carried_step(const mjModel* m, mjData* d) {
  mj_checkPos(m, d);
  mj_checkVel(m, d);
  const bool was_reset = d->warning[mjWARN_BADQPOS].number != 0 || d->warning[mjWARN_BADQVEL].number != 0;
  if (was_reset || mjcb_control != nullptr) {
    mj_forward(m, d);
  } else {
    for (int body = 1; body < m->nbody; ++body) {
      if (is_mocap(*m, body)) place(m, d, body);
    }
    d->parena = static_cast<std::size_t>(d->ncon) * sizeof(mjContact);  // contacts stay, constraints are made again
    mj_makeConstraint(m, d);
    mj_projectConstraint(m, d);
    mj_referenceConstraint(m, d);
    mj_fwdActuation(m, d);
    mj_fwdAcceleration(m, d);
    mj_fwdConstraint(m, d);
  }
  mj_checkAcc(m, d);
  mj_Euler(m, d);
}

}  // namespace taskworlds
